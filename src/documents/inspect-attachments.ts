/** Embedded files (ISO 32000-2 §7.11.4): invoices and sources are fine and listed, programs are refused. */
import { decodePDFRawStream, type PDFDict, PDFRawStream } from '@cantoo/pdf-lib';
import { DocumentRefused } from './documents.ts';
import { dictEntry, entry, nameEntry, textEntry } from './objects.ts';

/** What Windows, macOS or Linux run on a double click, and what browsers run. */
const EXECUTABLE = new Set(
  (
    'ade adp apk app appimage appref-ms appx appxbundle bas bat chm class cmd com command cpl csh deb desktop dll dmg ' +
    'docm dotm exe fxp gadget hlp hta htm html inf ins iso isp jar jnlp js jse ksh lib lnk mad mam maq mda mdb mde mht ' +
    'mhtml msc msh msi msix msp mst ops osd out pcd pif pkg pl plg pptm ppam potm prf prg ps1 ps1xml ps2 psc1 psd1 psm1 ' +
    'py pyc pyw rb reg rpm run scf scr sct sh shb shs sldm svg swf sys theme url vb vbe vbs vhd vhdx vxd ws wsc wsf wsh ' +
    'xhtml xla xlam xll xlm xlsm xltm xnk'
  ).split(' '),
);

/** First bytes of programs: PE, ELF, Mach-O (both byte orders and fat, which Java classes share), scripts, Flash, shortcuts. */
const MAGIC = [
  'MZ',
  '\x7fELF',
  '\xfe\xed\xfa',
  '\xce\xfa\xed\xfe',
  '\xcf\xfa\xed\xfe',
  '\xca\xfe\xba\xbe',
  '#!',
  'FWS',
  'CWS',
  'ZWS',
  'L\0\0\0\x01\x14\x02',
];

/**
 * The name of the file that a file specification embeds, made safe to show; null if it embeds none.
 * @throws DocumentRefused 'executable-attachment', or 'encrypted' for an encrypted payload (§7.6.7)
 */
export function attachmentName(specification: PDFDict): string | null {
  const files = dictEntry(specification, 'EF');
  if (!files) return null;
  if (nameEntry(specification, 'AFRelationship') === 'EncryptedPayload')
    throw new DocumentRefused('encrypted', 'the document is the wrapper of an encrypted one');
  const names = ['UF', 'F', 'Unix', 'DOS', 'Mac']
    .map(key => textEntry(specification, key))
    .filter(name => name !== undefined);
  const shown = safeName(names[0] ?? 'unnamed');
  for (const name of names) {
    // Windows ignores dots and spaces at a name's end.
    const extension = /\.([a-z0-9-]+)$/.exec(
      safeName(name)
        .toLowerCase()
        .replace(/[. ]+$/, ''),
    )?.[1];
    if (extension !== undefined && EXECUTABLE.has(extension))
      throw new DocumentRefused('executable-attachment', `the attachment "${shown}" is a program`);
  }
  for (const key of ['F', 'UF', 'Unix', 'DOS', 'Mac']) {
    const stream = entry(files, key);
    if (stream instanceof PDFRawStream && MAGIC.some(magic => firstBytes(stream).startsWith(magic)))
      throw new DocumentRefused('executable-attachment', `the attachment "${shown}" is a program`);
  }
  return shown;
}

function firstBytes(stream: PDFRawStream): string {
  try {
    return Buffer.from(decodePDFRawStream(stream).getBytes(16)).toString('latin1');
  } catch {
    return '';
  }
}

/** Without controls, bidirectional marks and line separators. */
function safeName(name: string): string {
  return (
    name
      .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '')
      .trim()
      .slice(0, 255) || 'unnamed'
  );
}
