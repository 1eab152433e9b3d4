/** README.txt of exported evidence: what is what, and how to check it with OpenSSL and sha256sum alone. */
import { cleanLine } from '../outbound/clean.ts';
import type { Collected } from './collected.ts';
import type { ListedPasskey } from './passkey-files.ts';
import type { ListedSignature } from './signature-files.ts';

/** Years of seconds: whether an old answer is still fresh is not the question. */
const ANY_AGE = 3_153_600_000;

export function readmeText(collected: Collected): string {
  const { request, company, signatures, passkeys, answers, lists, proof, madeAt } = collected;
  const { chain, tokens } = proof;
  const documents = request.documents.map(
    ({ name, original, finished }, index) =>
      `  ${index + 1}  ${cleanLine(name, 200)}\n   as mailed  SHA-256 ${original}\n   finished   ${finished === null ? 'not finished' : `SHA-256 ${finished}`}`,
  );
  return `Evidence of request ${request.id}
${cleanLine(company, 200)}, exported ${madeAt.toISOString()}

summary.pdf says in words what happened. The files here are what proves it. To check them you need OpenSSL 3 and
sha256sum, in a Unix shell in this folder; nothing of it needs the software that made them, or the network.

Documents (documents/N-original, documents/N-finished)
${documents.join('\n')}

1. The files are those that were exported

    sha256sum -c SHA256SUMS

2. The trusted certificates are the company's

certificates/trusted.pem holds the root certificates. Everything below rests on them: compare their fingerprints with
what the company (and an outside timestamp authority) has told you on another way.

    openssl storeutl -noout -text -certs certificates/trusted.pem

3. The signatures

NAME.p7s is the signature (CMS, RFC 5652), NAME.content exactly the octets that it signs. A PDF's signature covers the file
up to it, all but the place where it stands itself; the finished PDF holds the same octets. Certificates are judged
at the time that a timestamp shows. NAME.tst is that timestamp (RFC 3161); it is over NAME.value, the signature value.
signatures/list.txt lists all of them: name, kind, time in seconds since 1970, whether it has a timestamp of its own.

${signatures.map(signatureLines).join('\n')}
4. The certificates were not revoked

The answer must name the certificate as "good", or as revoked only after the signature's time. (OpenSSL may add
"WARNING: Status times invalid" for answers that are old by now.)

${answers
  .map(
    ({ file, certificate, issuer }) =>
      `    openssl ocsp -respin ocsp/${file} -issuer certificates/${issuer} -cert certificates/${certificate} \\\n      -CAfile certificates/trusted.pem -verify_other certificates/all.pem -no_nonce -validity_period ${ANY_AGE}`,
  )
  .join('\n')}
${lists.map(file => `    openssl crl -inform DER -in crl/${file} -CAfile certificates/all.pem -noout -text`).join('\n')}

5. The log

log/entries/N.json are the log's entries about this request, exactly as they were hashed. log/chain.txt has a line for each
entry from the first of them on: its number, the hash before it, the SHA-256 of its entry, its own hash. Of entries about
others only the SHA-256 is there. A line's own hash is the SHA-256 of the hash before it, a blank, the SHA-256 of its
entry and a line feed; and it stands as the hash before in the next line.

    previous=
    last=
    while read -r number before entry own; do
      [ -z "$last" ] || [ "$number" = $((last + 1)) ] || echo "WRONG: $number stands after $last"
      [ -z "$previous" ] || [ "$before" = "$previous" ] || echo "WRONG: $number does not follow"
      [ "$(printf '%s %s\\n' "$before" "$entry" | sha256sum)" = "$own  -" ] || echo "WRONG: hash of $number"
      [ ! -f "log/entries/$number.json" ] ||
        [ "$(sha256sum < "log/entries/$number.json")" = "$entry  -" ] || echo "WRONG: entry $number"
      previous=$own
      last=$number
    done < log/chain.txt

Nothing is printed when all of it fits. The hash of these lines is timestamped, the last line's among them; so nobody
can have written the entries up to there after that time.

${tokens
  .map(
    ({ sequence }) =>
      `    openssl ts -verify -digest ${chain.find(link => link.sequence === sequence)!.hash} \\\n      -token_in -in log/heads/${sequence}.tst -CAfile certificates/trusted.pem -untrusted certificates/all.pem`,
  )
  .join('\n')}
    openssl ts -reply -token_in -in log/heads/${tokens.at(-1)?.sequence}.tst -text

The entries name the documents by their SHA-256, as mailed and as they became; so the log proves them, too. Nothing is
printed when each file is named:

    for document in documents/*${passkeys.length > 0 ? ' passkeys/*-proof.json' : ''}; do
      sum=$(sha256sum < "$document"); named=no
      for entry in log/entries/*.json; do
        IFS= read -r body < "$entry" || :
        case $body in *"\${sum%%  -}"*) named=yes ;; esac
      done
      [ $named = yes ] || echo "WRONG: $document"
    done
${passkeys.length === 0 ? '' : PASSKEYS + passkeys.map(passkeyLines).join('\n')}`;
}

const PASSKEYS = `
6. The passkeys

Somebody's passkey (fingerprint, face or PIN) signed, too (Web Authentication, W3C): NAME-signature.bin is over
NAME-authenticator.bin and the SHA-256 of NAME-client.json. The challenge in NAME-client.json is the SHA-256 of
NAME-mark.bin and of the SHA-256 of what was signed for, so it is for nothing else. NAME-proof.json, which the log names,
holds the same. Wherever nothing is printed, or "Verified OK" or "Signature Verified Successfully", it fits.

`;

function passkeyLines({ name, algorithm, host, octets, signatures, report }: ListedPasskey): string {
  const base64url = `openssl base64 -A | tr '+/' '-_' | tr -d '='`;
  const digests = octets.map(file => ` openssl dgst -sha256 -binary ${file};`).join('');
  const verify =
    algorithm === 'ed25519'
      ? `openssl pkeyutl -verify -pubin -inkey ${name}-key.pem -rawin \\\n      -in ${name}-signed.bin -sigfile ${name}-signature.bin`
      : `openssl dgst -sha256 -verify ${name}-key.pem -signature ${name}-signature.bin ${name}-signed.bin`;
  const what =
    report !== null
      ? `What was approved stands in the transaction report:

    sed '1,/^Transaction Details/d' ${report} | openssl base64 -d | cmp - ${octets[0]}
`
      : `What was signed for is what the certificate signed, a signature's attributes with the hash of the document:

${signatures
  .map(
    ({ name: signature, certificate }) =>
      `    openssl x509 -in ${certificate} -noout -pubkey |\n      openssl dgst -sha256 -verify /dev/stdin -signature ${signature}.value ${signature}.attributes\n`,
  )
  .join('')}`;
  return `${name}: the signature, its key, the site, and the challenge:

    { cat ${name}-authenticator.bin; openssl dgst -sha256 -binary ${name}-client.json; } | cmp - ${name}-signed.bin
    ${verify}
    key=$(openssl pkey -pubin -in ${name}-key.pem -outform DER | ${base64url})
    case $(cat ${name}-proof.json) in *"\\"publicKey\\":\\"$key\\""*) ;; *) echo "WRONG: the key of ${name}" ;; esac
    printf %s ${host} | openssl dgst -sha256 -binary | cmp -n 32 - ${name}-authenticator.bin
    challenge=$({ cat ${name}-mark.bin;${digests} } |
      openssl dgst -sha256 -binary | ${base64url})
    case $(cat ${name}-client.json) in *"\\"challenge\\":\\"$challenge\\""*) ;; *) echo "WRONG: the challenge of ${name}" ;; esac

The next line shows a byte of flags: 1 in it means that somebody was there, 4 that the authenticator verified who.

    od -An -tx1 -j32 -N1 ${name}-authenticator.bin

${what}`;
}

function signatureLines({ name, kind, time, timestamped }: ListedSignature): string {
  const at = Math.ceil(time.getTime() / 1000);
  const trust = '-CAfile certificates/trusted.pem';
  const timestamp = (data: string) =>
    `    openssl ts -verify -data ${data} -token_in -in ${name}.tst \\\n      ${trust} -untrusted certificates/all.pem -attime ${at}\n`;
  if (kind === 'document-timestamp')
    return `A timestamp over the whole file, ${time.toISOString()}:\n\n${timestamp(`${name}.content`)}`;
  if (kind === 'foreign')
    return `${name} was in the file before, by others: check it with their certification authority in the place of trusted.pem.\n`;
  const cms = `    openssl cms -verify -binary -inform DER -in ${name}.p7s -content ${name}.content \\\n      ${trust} -certfile certificates/all.pem -purpose any -attime ${at} -out /dev/null\n`;
  return `${timestamped ? `Timestamped ${time.toISOString()}` : 'Without a timestamp of its own'}:\n\n${cms}${timestamped ? timestamp(`${name}.value`) : ''}`;
}
