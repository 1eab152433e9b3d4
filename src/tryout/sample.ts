/** A document worth signing, for the demo. */
import {
  concatTransformationMatrix,
  drawObject,
  PDFDocument,
  popGraphicsState,
  pushGraphicsState,
  rgb,
  StandardFonts,
} from '@cantoo/pdf-lib';

/** A two-page contract as an office program would make it. */
export async function sampleContract(title: string, parties: readonly string[]): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  pdf.setTitle(title);
  const regular = await pdf.embedFont(StandardFonts.TimesRoman);
  const bold = await pdf.embedFont(StandardFonts.TimesRomanBold);
  const clauses = [
    `This agreement is made between ${parties.join(' and ')}.`,
    '1. Subject. The parties agree to keep each other informed about the progress of the project, in writing and in good time.',
    '2. Term. The agreement starts on the day of the last signature and runs for twelve months. It is renewed by mutual consent.',
    '3. Confidentiality. What the parties learn of each other stays between them, also after the end of the agreement.',
    '4. Form. Changes need the same form as this agreement: a document that all parties have signed.',
  ];
  for (const [index, paragraphs] of [clauses.slice(0, 3), clauses.slice(3)].entries()) {
    const page = pdf.addPage([595.28, 841.89]);
    if (index === 0) page.drawText(title, { x: 72, y: 740, size: 22, font: bold, color: rgb(0.1, 0.12, 0.12) });
    let y = index === 0 ? 690 : 760;
    for (const paragraph of paragraphs) {
      page.drawText(paragraph, { x: 72, y, size: 12, font: regular, maxWidth: 451, lineHeight: 18 });
      y -= 18 * (Math.ceil(regular.widthOfTextAtSize(paragraph, 12) / 440) + 1);
    }
    page.drawText(`Page ${index + 1} of 2`, { x: 270, y: 40, size: 9, font: regular, color: rgb(0.4, 0.4, 0.4) });
  }
  return pdf.save();
}

/** A PDF of about that many octets that compression can't make smaller, as a scan is. */
export async function pdfOfSize(size: number, random: (size: number) => Uint8Array): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const page = pdf.addPage([595.28, 841.89]);
  const side = Math.floor(Math.sqrt(size / 3));
  const image = pdf.context.stream(random(side * side * 3), {
    Type: 'XObject',
    Subtype: 'Image',
    Width: side,
    Height: side,
    ColorSpace: 'DeviceRGB',
    BitsPerComponent: 8,
  });
  const name = page.node.newXObject('Scan', pdf.context.register(image));
  page.pushOperators(
    pushGraphicsState(),
    concatTransformationMatrix(500, 0, 0, 700, 48, 71),
    drawObject(name),
    popGraphicsState(),
  );
  return pdf.save();
}
