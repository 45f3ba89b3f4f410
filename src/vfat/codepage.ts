/** The OEM code pages of short names. The tables are Unicode's mappings (unicode.org, MAPPINGS/VENDORS/MICSFT). */

export type CodePage = 437 | 850 | 1252;

/** What the bytes 0x80..0xFF stand for. */
const UPPER_HALVES: Readonly<Record<CodePage, string>> = {
  437:
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐' +
    '└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  850:
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐' +
    '└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
  1252:
    '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿' +
    'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ',
};

const encoders = new Map<CodePage, ReadonlyMap<string, number>>();

/** The character of a byte. */
export function decodeByte(page: CodePage, byte: number): string {
  return byte < 0x80 ? String.fromCharCode(byte) : UPPER_HALVES[page].charAt(byte - 0x80);
}

/** The byte of a character; undefined when the code page has none. */
export function encodeCharacter(page: CodePage, character: string): number | undefined {
  const code = character.charCodeAt(0);
  if (code < 0x80 && character.length === 1) return code;
  let table = encoders.get(page);
  if (table === undefined) {
    table = new Map(Array.from(UPPER_HALVES[page], (each, i) => [each, 0x80 + i]));
    encoders.set(page, table);
  }
  return table.get(character);
}

/** The text of bytes in a code page. */
export function decodeCodePage(page: CodePage, bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += decodeByte(page, byte);
  return text;
}
