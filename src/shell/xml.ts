/** XML as a tree of elements. Document types are refused, so that nothing in a document can define entities; the five of XML itself are known. */
import { XMLParser } from 'fast-xml-parser';
import { Corrupt, Refused } from '../errors.ts';

/** An element: its name without a prefix, its attributes likewise, and what is in it. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
}

/** More than this many characters are not parsed. */
const LIMIT = 16 << 20;
const DEPTH = 100;

/** Parses a document to its elements. Throws Corrupt for what is no XML, Refused for a document type. */
export function parseXml(text: string, where: string): Element {
  if (text.length > LIMIT) throw new Refused(`the document has more than ${LIMIT} characters`, { image: where });
  if (/<!DOCTYPE/i.test(text)) throw new Refused('the document defines a document type, which could define entities', { image: where });
  let nodes: unknown;
  try {
    nodes = new XMLParser({
      preserveOrder: true,
      ignoreAttributes: false,
      attributeNamePrefix: '',
      parseTagValue: false,
      parseAttributeValue: false,
      removeNSPrefix: true,
      processEntities: false,
      maxNestedTags: DEPTH,
    }).parse(text, true);
  } catch (error) {
    throw new Corrupt(`it is no XML: ${error instanceof Error ? error.message : String(error)}`, { image: where });
  }
  return { name: '', attributes: new Map(), children: elements(nodes, 0) };
}

function elements(nodes: unknown, depth: number): Element[] {
  if (!Array.isArray(nodes) || depth > DEPTH) return [];
  const found: Element[] = [];
  for (const node of nodes as readonly Readonly<Record<string, unknown>>[]) {
    const name = Object.keys(node).find((key) => key !== ':@');
    if (name === undefined || name === '#text' || name.startsWith('?')) continue;
    const attributes = Object.entries((node[':@'] ?? {}) as Readonly<Record<string, unknown>>);
    found.push({
      name,
      attributes: new Map(attributes.map(([key, value]) => [key, decodeEntities(String(value))])),
      children: elements(node[name], depth + 1),
    });
  }
  return found;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
