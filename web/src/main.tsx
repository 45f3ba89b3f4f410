/** Starts the page. */
import { render } from 'preact';
import './style.css';
import { open } from './state.ts';
import { App } from './view/app.tsx';

const theme = localStorage.getItem('theme');
if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;

const root = document.getElementById('app');
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
}

// Links may name what is to be opened: #demo, #url=ADDRESS.
const asked = location.hash.slice(1);
if (asked === 'demo') void open({ demo: true });
else if (asked.startsWith('url=')) void open({ url: decodeURIComponent(asked.slice(4)) });

if (import.meta.env.PROD && 'serviceWorker' in navigator) navigator.serviceWorker.register('./sw.js').catch(() => undefined);
