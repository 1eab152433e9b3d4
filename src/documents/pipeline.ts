/**
 * A document's way to the sealed result (DESIGN.md decisions 6 and 7): the worker writes the first revision, everything
 * after it is a small increment written here. PAdES baseline (ETSI EN 319 142-1): each signature has a timestamp (B-T),
 * the DSS makes them B-LT, the document timestamp B-LTA.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { Identity, Pki, ValidationData } from '../pki/pki.ts';
import { buildCms, readCms } from '../signatures/cms.ts';
import { issuerName } from '../signatures/names.ts';
import { digestByteRange, signedAttributes } from '../signatures/signed-attributes.ts';
import { BadSignature, verifySignature } from '../signatures/verify.ts';
import { drawPanel, drawParaph, type Panel } from './appearance.ts';
import { drawStamp, STAMP_BELOW } from './appearance-stamp.ts';
import { sealPanel, signatoryPanel } from './appearance-texts.ts';
import type { Documents, PreparedSignature, SignatoryMark } from './documents.ts';
import { signatureFields } from './file/fields.ts';
import { openFile, type PdfFile } from './file/file.ts';
import { octets, refOf, stringOf } from './file/values.ts';
import { join, putContents, renewedId } from './increment.ts';
import { appendDss } from './increment-dss.ts';
import { lockedBeside, type ParaphFilling, paraphShapes } from './increment-paraphs.ts';
import {
  type Appearance,
  certify,
  type Filling,
  fillSignature,
  pdfDate,
  type SignedIncrement,
  ZEROED,
} from './increment-signature.ts';
import { appendTimestampField } from './increment-timestamp.ts';
import type { DocumentLayout, ParaphPlace, SignatoryField, SignatoryLevel, SignatureField } from './layout.ts';
import type { Mark } from './strokes.ts';
import type { DocumentWorker } from './worker.ts';

export interface DocumentsParts {
  readonly worker: Pick<DocumentWorker, 'inspect' | 'firstRevision'>;
  readonly pki: Pick<Pki, 'seal' | 'timestamps' | 'validationData'>;
  readonly company: { readonly name: string; readonly vat: string | null };
}

interface Signer {
  readonly field: SignatureField;
  readonly name: string;
  readonly time: Date;
  readonly utcOffset: number;
  readonly certificate: Uint8Array;
  readonly panel: Panel;
  readonly paraphs: { readonly mark: Mark; readonly places: readonly ParaphPlace[] } | null;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

export function createDocuments({ worker, pki, company }: DocumentsParts): Documents {
  async function complete(
    prepared: PreparedSignature,
    signer: Parameters<Documents['completeSignature']>[1],
  ): Promise<Uint8Array> {
    checkAttributes(prepared, signer.certificate);
    verifySignature(prepared.signedAttributes, signer.signature, signer.algorithm, signer.certificate);
    const { token } = await pki.timestamps.stamp(sha256(signer.signature));
    const cms = buildCms({ ...signer, signedAttributes: prepared.signedAttributes, timestamp: token });
    return putContents(prepared.bytes, prepared.byteRange, cms);
  }

  async function seal(prepared: PreparedSignature, { key, certificate, issuers }: Identity): Promise<Uint8Array> {
    const signature = await key.sign(prepared.signedAttributes);
    return complete(prepared, { certificate, issuers, algorithm: key.algorithm, signature });
  }

  function sealer(kind: 'certified' | 'closed', field: SignatureField, layout: DocumentLayout, time: Date): Signer {
    const { certificate } = pki.seal;
    const shown = { time, utcOffset: 0, issuer: issuerName(certificate) };
    const panel = sealPanel(layout.language ?? 'en', kind, company, shown);
    return { field, name: company.name, time, utcOffset: 0, certificate, panel, paraphs: null };
  }

  /** What later validation of each signature needs; an authority that signed or stamped several is asked about once. */
  async function evidence(file: PdfFile, fields: readonly SignatureField[]) {
    const known = new Map<string, Promise<ValidationData>>();
    const about = (certificates: readonly Uint8Array[]) => {
      const key = sha256(certificates[0] as Uint8Array).toString('hex');
      const data = known.get(key) ?? pki.validationData(certificates);
      known.set(key, data);
      return data;
    };
    return Promise.all(
      readContents(file, fields).map(async contents => {
        const { certificates, timestamp } = readCms(contents);
        const signer = await about(certificates);
        if (timestamp === null) return { contents, data: signer };
        const authority = await about(readCms(timestamp).certificates);
        return { contents, data: merge(signer, authority) };
      }),
    );
  }

  return {
    inspect: pdf => worker.inspect(pdf),

    async prepare(pdf, plan) {
      const first = await worker.firstRevision(pdf, plan);
      const layout: DocumentLayout = { ...first.layout, language: plan.language };
      // Signed already: nothing may certify it any more.
      if (layout.seal === null) return { bytes: first.bytes, layout };
      const signer = sealer('certified', layout.seal, layout, plan.date);
      return { bytes: await seal(fill(first.bytes, layout, signer, certify), pki.seal), layout };
    },

    async prepareSignature(head, layout, mark) {
      const { certificate } = mark;
      const field = signatoryField(layout, mark, 'advanced');
      const serial = new X509Certificate(certificate).serialNumber;
      const panel = signatoryPanel(layout.language ?? 'en', mark, { issuer: issuerName(certificate), serial });
      return fill(head, layout, signatory(field, mark, certificate, panel), fillSignature);
    },

    completeSignature: complete,

    async approve(head, layout, mark) {
      const { certificate } = pki.seal;
      const field = signatoryField(layout, mark, 'standard');
      const panel = signatoryPanel(layout.language ?? 'en', mark, null);
      return seal(fill(head, layout, signatory(field, mark, certificate, panel), fillSignature), pki.seal);
    },

    async close(head, layout, time) {
      const signer = sealer('closed', layout.closing, layout, time);
      const sealed = await seal(fill(head, layout, signer, fillSignature), pki.seal);
      const file = openFile(sealed);
      const fields = [...(layout.seal ? [layout.seal] : []), ...layout.signatories, layout.closing];
      const archived = join(sealed, appendDss(file, await evidence(file, fields)));
      const { appended, byteRange } = appendTimestampField(openFile(archived));
      const bytes = join(archived, appended);
      const { token } = await pki.timestamps.stamp(digestByteRange(bytes, byteRange));
      return putContents(bytes, byteRange, token);
    },
  };
}

function signatory(field: SignatoryField, mark: SignatoryMark, certificate: Uint8Array, panel: Panel): Signer {
  const { name, signingTime: time, utcOffset, paraph } = mark;
  const paraphs = paraph && field.paraphs.length > 0 ? { mark: paraph, places: field.paraphs } : null;
  return { field, name, time, utcOffset, certificate, panel, paraphs };
}

/** @throws RangeError */
function signatoryField(layout: DocumentLayout, mark: SignatoryMark, level: SignatoryLevel): SignatoryField {
  const field = layout.signatories[mark.index];
  if (field?.level !== level || mark.level !== level) {
    throw new RangeError(`the document has no signatory ${mark.index} of level ${level}`);
  }
  return field;
}

/** The revision that fills the signer's field, Contents zeroed. */
function fill(
  head: Uint8Array,
  layout: DocumentLayout,
  signer: Signer,
  write: (file: PdfFile, filling: Filling) => SignedIncrement,
): PreparedSignature {
  const { field, name, certificate } = signer;
  const file = openFile(head);
  const appearance: Appearance | null = field.box && {
    content: (field.box.height < STAMP_BELOW ? drawStamp : drawPanel)(signer.panel, field.box, layout),
    fonts: layout.regular.object === 0 ? null : { regular: layout.regular.object, bold: layout.bold.object },
  };
  const paraphs = signer.paraphs && drawParaphs(file, field.object, layout, signer.paraphs);
  const time = pdfDate(signer.time, signer.utcOffset);
  const drawn = [appearance?.content ?? '', ...(paraphs?.contents ?? [])];
  const id = renewedId(file, String(field.object || field.name), name, time, certificate, ...drawn);
  const { appended, byteRange } = write(file, {
    field: field.object || { name: field.name, lock: field === layout.closing ? 'all' : 'self' },
    signer: name,
    time,
    appearance,
    ...(paraphs ? { paraphs } : {}),
    contents: ZEROED,
    id,
  });
  const bytes = join(head, appended);
  const attributes = signedAttributes(digestByteRange(bytes, byteRange), certificate);
  const prepared: PreparedSignature = { bytes, byteRange, signedAttributes: attributes };
  madeFor.set(prepared, certificate);
  return prepared;
}

/** Whose certificate a revision was prepared for, while its bytes are ours: they needn't be digested twice. */
const madeFor = new WeakMap<PreparedSignature, Uint8Array>();

/** @throws BadSignature */
function checkAttributes(prepared: PreparedSignature, certificate: Uint8Array): void {
  const known = madeFor.get(prepared);
  if (known && Buffer.from(known).equals(certificate)) return;
  const digest = digestByteRange(prepared.bytes, prepared.byteRange);
  if (!Buffer.from(signedAttributes(digest, certificate)).equals(prepared.signedAttributes)) {
    throw new BadSignature('the signed attributes belong to another revision or certificate');
  }
}

function drawParaphs(
  file: PdfFile,
  field: number,
  { ink }: DocumentLayout,
  { mark, places }: NonNullable<Signer['paraphs']>,
): ParaphFilling {
  const buttons = places.map(({ object }) => object).sort((a, b) => a - b);
  const shapes = paraphShapes(file, lockedBeside(file, file.dict(field)), buttons);
  return { buttons, contents: shapes.map(shape => drawParaph(mark, shape, ink)) };
}

/** Contents of the signatures that stand in these fields. */
function readContents(file: PdfFile, fields: readonly SignatureField[]): Uint8Array[] {
  const found = fields.some(({ object }) => object === 0) ? signatureFields(file) : [];
  return fields.flatMap(({ name, object }) => {
    const field = object === 0 ? found.find(other => other.name === name)?.dict : file.dict(object);
    const value = refOf(field?.get('V'));
    const contents = value === null ? null : stringOf(file.dict(value).get('Contents'));
    return contents === null ? [] : [octets(contents)];
  });
}

function merge(a: ValidationData, b: ValidationData): ValidationData {
  return {
    certificates: [...a.certificates, ...b.certificates],
    ocsps: [...a.ocsps, ...b.ocsps],
    crls: [...a.crls, ...b.crls],
  };
}
