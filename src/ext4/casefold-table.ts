/** Made by tools/make-casefold-table.pl from the Unicode Character Database; not to be edited. Numbers are in base 36. */

/** Code points that Unicode 12.1 has assigned: lengths of runs, in turn not assigned and assigned. */
export const ASSIGNED: string =
  '0 oo 2 6 4 7 1 1 1 k 1 b1 1 12 2 1e 2 3 1 1j 8 r 4 6 b t 1 6o 1 1o 2 2t e 1n 2 1d 2 f 1 s 2 1 1 b 1h l 1 8 l 4x 1 8 2 2 ' +
  '2 m 1 7 1 1 3 4 2 9 2 2 2 4 8 1 4 2 1 5 2 p 2 3 1 6 4 2 2 m 1 7 1 2 1 2 1 2 2 1 1 5 4 2 2 3 3 1 7 4 1 1 7 h a 3 1 9 1 3 ' +
  '1 m 1 7 1 2 1 5 2 a 1 3 1 3 2 1 f 4 2 c 7 7 1 3 1 8 2 2 2 m 1 7 1 2 1 5 2 9 2 2 2 3 8 2 4 2 1 5 2 i a 2 1 6 3 3 1 4 3 2 ' +
  '1 1 1 2 3 2 3 3 3 c 4 5 3 3 1 4 2 1 6 1 e l 5 d 1 3 1 n 1 g 3 8 1 3 1 4 7 2 1 3 5 4 2 a 7 m 1 3 1 n 1 a 1 5 2 9 1 3 1 4 ' +
  '7 2 7 1 1 4 2 a 1 2 d 4 1 8 1 3 1 1f 1 3 1 6 4 g 2 q 2 2 1 i 3 o 1 9 1 1 2 7 3 1 4 6 1 1 1 8 6 a 2 3 c 1m 4 t 11 2 1 1 1 ' +
  '5 1 o 1 1 1 n 2 5 1 1 1 6 2 a 2 4 w 20 1 10 4 13 1 10 1 f 1 d 11 5i 1 1 5 1 2 ah 1 4 2 7 1 1 1 4 2 15 1 4 2 x 1 4 2 7 1 ' +
  '1 1 4 2 f 1 1l 1 4 2 1v 2 w 3 q 6 2e 2 6 2 il 3 2h 7 d 1 7 b n 9 k c d 1 3 1 2 c 2m 2 a 6 a 6 f 1 a 6 2h 7 17 5 1y a v 1 ' +
  'c 4 c 4 1 3 16 2 5 b 18 4 q 6 b 3 1q 2 1t 1 t 2 b 6 a 6 e 2 f 1t 24 4 19 3 38 8 1o 3 f 3 1o 7 17 2 b 8 17 5 6y 1 7v 2 6 ' +
  '2 12 2 6 2 8 1 1 1 1 1 1 1 v 2 1h 1 f 1 e 2 6 1 j 2 3 1 9 1 2t 1 c 2 r 1 d 3 w g x f 3w 4 if p b l 1ec 2 w 2 47 1 1b 1 ' +
  '44 5 19 1 1 5 1 2 1k 7 2 e o 9 7 1 7 1 7 1 7 1 7 1 7 1 7 1 7 1 34 1c q 1 2h c 5y q c 4 1s 1 2e 2 2v 5 17 1 2m 1 17 5 10 ' +
  'c 1b 1 5g6 a g8g g wd 3 1j 9 9o k 54 8 5c 2 5 1c 1h 4 a 6 1k 8 1y 8 c 6 38 b u 3 26 1 b 4 x 1 1j 9 e 2 a 2 2v o s a 6 2 ' +
  '6 2 6 9 7 1 7 1 1k 8 3i 2 a 6 8mc c n 4 1d 1l0 57y 2 2y 12 7 c 5 5 q 1 5 1 1 1 2 1 2 1 3g h a5 g 1s 2 1i 8 1a 2 q 6 1f 1 ' +
  'j 1 4 4 5 1 3r 2 1 1 5a 3 6 2 6 2 6 2 3 3 7 1 7 a j 1 q 1 j 1 2 1 f 2 e y 3f 5 3 4 19 3 2g 1 c 4 1 1b 1a 3m t 3 1d f s 4 ' +
  '10 9 u 5 17 5 u 1 11 4 e 16 4e 2 a 6 10 4 10 4 14 8 1g b 1 40 8n 9 m a 8 48 6 2 1 1 18 1 2 3 1 2 n 1 20 8 9 1c j 1 2 5 x ' +
  '3 r 5 1 1s 1k 4 k 2 1e 1 2 5 8 1 3 1 t 2 3 4 a 7 9 7 1s w 13 4 c 9 1i 3 t 2 r 5 q 7 4 c 7 28 21 1j 1f d 1f 7 1a 8 a 86 v ' +
  '3l 14 8 16 3q n 9 26 4 u f 1v b 1 2 p 7 a 6 1h 1 h 9 13 9 26 2 g 1 k b i 1 18 1t 7 1 1 1 4 1 f 1 b 6 1n 5 a 6 4 1 8 2 2 ' +
  '2 m 1 7 1 2 1 5 1 a 2 2 2 3 2 1 6 1 5 7 2 7 3 5 3v 2i 1 1 1 3 w 20 8 a 4m 1i 2 12 y 1x b a 6 d j 1l 7 a 1i r 2 f 4 g 5c ' +
  '1o 2s 2b c 1 4g 8 2 1a 2 b r 20 8 2b t 1l 7b 9 1 19 1 e a t 3 w 2 m 1 e 21 7 1 2 1 18 3 1 1 2 1 9 8 a 6 6 1 2 1 11 1 2 1 ' +
  '6 7 a 8m p 5j 1e d pn 2u 33 1 5 b 5g 24c tr 1 9 347 g7 6nt ft 7 v 1 a 4 2 2o u 2 6 a 1y a a 1 7 1 l 5 j j4 2j 2t 23 4 1l ' +
  '7 h 1s 4 s 4qg 8 kz 7bh 7z 1d 3 h 4 8 b0 1s4 2z 5 d 3 9 7 a 2 8 3to 6u a 13 2 5c n 1y 4a k c 2f 9 p 3r 2d 1 1z 1 2 2 1 2 ' +
  '2 2 4 1 c 1 1 1 7 1 1t 1 4 2 8 1 7 1 s 1 4 1 5 1 1 3 7 1 9g 2 84 2 ji f 5 1 f 11s 7 1 h 2 7 1 2 1 5 5x 19 3 e 2 a 4 2 a8 ' +
  '1m 5 1 zk 5h 2 g 15 24 4 a 4 2 lt 1w 24 1p 5e 4 1 r 1 2 1 1 2 1 1 a 1 4 1 1 1 1 6 1 4 1 1 1 1 1 1 3 1 2 1 1 2 1 1 1 1 1 ' +
  '1 1 1 1 1 2 1 1 2 4 1 7 1 4 1 4 1 1 1 a 1 h 5 3 1 5 1 h 1g 2 7i 18 4 2s c f 2 f 1 f 1 11 a d 3 2l 3 1p 1l t d 18 4 9 7 2 ' +
  'e 6 4a ra a d 3 b 5 38 c 2h 7 c k c 4 1k 8 a 6 14 8 u 2a c 1 2t 1 4 3 15 2 6 3 t 2 3r c e 2 4 4 3 5 3 d 6 12g wyh 15 379 ' +
  'b 66 2 4g2 e 5rl 2e7 f2 15s 2 1eke 2 1eke 2 1eke 2 1eke 2 1eke 2 1eke 2 1eke 2 1eke 2 1eke 2 1eke 2 1eke 2 1 1 u 2o 3k ' +
  '6o 1e6m 2t4y';

/** Full case foldings that are not the lower case: `distance from the item before.neighbours.targets`. */
export const FOLDS: string =
  '51.0.qk 16.0.37.37 2y.0.jg.32 1i.0.37 35.0.2y.lo 9h.0.qh 23.0.qh.lk.ld w.0.qt.lk.ld i.0.qr e.0.qa 1.0.qg 4.0.qu 1.0.qo ' +
  'q.0.qi 1.0.qp 4.0.qd b6.0.12d.136 2s9.2d.3vk 2g.5.3xs 1oo.0.tu 1.0.tw 1.0.u6 1.1.u9 2.0.ua 1.0.ui 1.0.v7 1.0.wuj ' +
  'em.0.2w.mp 1.0.38.lk 1.0.3b.lm 1.0.3d.lm 1.0.2p.ji 1.0.601 3.0.37.37 4y.0.qt.lv 2.0.qt.lv.lc 2.0.qt.lv.ld 2.0.qt.lv.n6 ' +
  '16.0.64g.qh 1.0.64h.qh 1.0.64i.qh 1.0.64j.qh 1.0.64k.qh 1.0.64l.qh 1.0.64m.qh 1.0.64n.qh 1.0.64g.qh 1.0.64h.qh ' +
  '1.0.64i.qh 1.0.64j.qh 1.0.64k.qh 1.0.64l.qh 1.0.64m.qh 1.0.64n.qh 1.0.65c.qh 1.0.65d.qh 1.0.65e.qh 1.0.65f.qh 1.0.65g.qh ' +
  '1.0.65h.qh 1.0.65i.qh 1.0.65j.qh 1.0.65c.qh 1.0.65d.qh 1.0.65e.qh 1.0.65f.qh 1.0.65g.qh 1.0.65h.qh 1.0.65i.qh 1.0.65j.qh ' +
  '1.0.674.qh 1.0.675.qh 1.0.676.qh 1.0.677.qh 1.0.678.qh 1.0.679.qh 1.0.67a.qh 1.0.67b.qh 1.0.674.qh 1.0.675.qh 1.0.676.qh ' +
  '1.0.677.qh 1.0.678.qh 1.0.679.qh 1.0.67a.qh 1.0.67b.qh 3.0.67k.qh 1.0.q9.qh 1.0.q4.qh 2.0.q9.n6 1.0.q9.n6.qh 5.0.q9.qh ' +
  '2.0.qh 4.0.67o.qh 1.0.qf.qh 1.0.q6.qh 2.0.qf.n6 1.0.qf.n6.qh 5.0.qf.qh 6.0.qh.lk.lc 1.0.qh.lk.ld 3.0.qh.n6 1.0.qh.lk.n6 ' +
  'b.0.qt.lk.lc 1.0.qt.lk.ld 1.0.qp.lv 2.0.qt.n6 1.0.qt.lk.n6 b.0.67w.qh 1.0.qx.qh 1.0.r2.qh 2.0.qx.n6 1.0.qx.n6.qh ' +
  '5.0.qx.qh rjo.27.3vk fps.0.2u.2u 1.0.2u.2x 1.0.2u.30 1.0.2u.2u.2x 1.0.2u.2u.30 1.0.37.38 1.0.37.38 d.0.12s.12u ' +
  '1.0.12s.12d 1.0.12s.12j 1.0.132.12u 1.0.12s.12l';
