#!/bin/sh
# Checks exported evidence with openssl, sha256sum and unzip alone, as its README.txt says.
# Usage: check.sh EVIDENCE.zip FOLDER (FOLDER: empty; gets the files). Prints what is wrong; status 0: nothing is.
set -u
zip=$1
folder=$2
wrong=0
checked=0

fail() {
  echo "WRONG: $1"
  wrong=1
}

# check TITLE COMMAND...: its output is shown only when it fails.
check() {
  title=$1
  shift
  checked=$((checked + 1))
  output=$("$@" 2>&1) || fail "$title: $output"
}

unzip -q "$zip" -d "$folder" || exit 1
cd "$folder" || exit 1

check 'files' sha256sum --quiet --strict -c SHA256SUMS

trusted='-CAfile certificates/trusted.pem'
signatures=0
while read -r name kind time timestamped; do
  file=signatures/$name
  case $kind in
  signature)
    signatures=$((signatures + 1))
    check "signature $name" openssl cms -verify -binary -inform DER -in "$file.p7s" -content "$file.content" \
      $trusted -certfile certificates/all.pem -purpose any -attime "$time" -out /dev/null
    if [ "$timestamped" = timestamped ]; then
      check "timestamp of $name" openssl ts -verify -data "$file.value" -token_in -in "$file.tst" \
        $trusted -untrusted certificates/all.pem -attime "$time"
    fi
    ;;
  document-timestamp)
    check "document timestamp $name" openssl ts -verify -data "$file.content" -token_in -in "$file.tst" \
      $trusted -untrusted certificates/all.pem -attime "$time"
    ;;
  *) fail "$name: kind $kind" ;;
  esac
done <signatures/list.txt
[ "$signatures" -gt 0 ] || fail 'no signature'

answers=0
while read -r answer certificate issuer; do
  answers=$((answers + 1))
  check "answer $answer" openssl ocsp -respin "ocsp/$answer" -issuer "certificates/$issuer" \
    -cert "certificates/$certificate" $trusted -verify_other certificates/all.pem -no_nonce -validity_period 3153600000
  case $output in
  *"certificates/$certificate: good"*) ;;
  *) fail "answer $answer: $output" ;;
  esac
done <ocsp/list.txt
[ "$answers" -gt 0 ] || fail 'no OCSP answer'

for list in crl/*.crl; do
  check "list $list" openssl crl -inform DER -in "$list" -CAfile certificates/all.pem -noout
done

# Passkeys: signed by the key, for this site, with somebody verified, for exactly what the report or the certificate says.
passkeys=
if [ -f passkeys/list.txt ]; then
  while read -r name algorithm host octets; do
    { cat "$name-authenticator.bin"; openssl dgst -sha256 -binary "$name-client.json"; } |
      cmp -s - "$name-signed.bin" || fail "$name: what it signed"
    case $algorithm in
    ed25519) check "$name" openssl pkeyutl -verify -pubin -inkey "$name-key.pem" -rawin \
      -in "$name-signed.bin" -sigfile "$name-signature.bin" ;;
    *) check "$name" openssl dgst -sha256 -verify "$name-key.pem" -signature "$name-signature.bin" "$name-signed.bin" ;;
    esac
    printf %s "$host" | openssl dgst -sha256 -binary | cmp -s -n 32 - "$name-authenticator.bin" || fail "$name: site"
    case $(od -An -tx1 -j32 -N1 "$name-authenticator.bin") in
    *[5d]) ;;
    *) fail "$name: nobody was verified" ;;
    esac
    challenge=$({
      cat "$name-mark.bin"
      for file in $octets; do openssl dgst -sha256 -binary "$file"; done
    } | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d '=')
    case $(cat "$name-client.json") in
    *"\"challenge\":\"$challenge\""*) ;;
    *) fail "$name: challenge" ;;
    esac
    key=$(openssl pkey -pubin -in "$name-key.pem" -outform DER | openssl base64 -A | tr '+/' '-_' | tr -d '=')
    case $(cat "$name-proof.json") in
    *"\"publicKey\":\"$key\""*) ;;
    *) fail "$name: key" ;;
    esac
    for file in $octets; do
      case $file in
      *.attributes)
        signature=${file%.attributes}
        openssl cms -verify -binary -inform DER -in "$signature.p7s" -content "$signature.content" -noverify \
          -certfile certificates/all.pem -signer signer.pem -out /dev/null 2>/dev/null
        openssl x509 -in signer.pem -noout -pubkey -out signer-key.pem
        check "$file" openssl dgst -sha256 -verify signer-key.pem -signature "$signature.value" "$file"
        ;;
      *)
        sed '1,/^Transaction Details/d' "signatures/report-${name#passkeys/}.content" | openssl base64 -d |
          cmp -s - "$file" || fail "$file is not what the report says"
        ;;
      esac
    done
    passkeys="$passkeys, $name ($algorithm: $octets)"
  done <passkeys/list.txt
fi

previous=
last=
while read -r number before entry own; do
  [ -z "$last" ] || [ "$number" = $((last + 1)) ] || fail "entry $number stands after $last"
  [ -z "$previous" ] || [ "$before" = "$previous" ] || fail "entry $number does not follow"
  [ "$(printf '%s %s\n' "$before" "$entry" | sha256sum)" = "$own  -" ] || fail "hash of entry $number"
  if [ -f "log/entries/$number.json" ]; then
    [ "$(sha256sum <"log/entries/$number.json")" = "$entry  -" ] || fail "entry $number"
  fi
  if [ -f "log/heads/$number.tst" ]; then
    check "timestamp of entry $number" openssl ts -verify -digest "$own" -token_in -in "log/heads/$number.tst" \
      $trusted -untrusted certificates/all.pem
  fi
  previous=$own
  last=$number
done <log/chain.txt
[ -f "log/heads/$last.tst" ] || fail 'the end of the chain has no timestamp'

# Each document, as mailed and finished, and each passkey's proof is the one that the log names.
for document in documents/* passkeys/*-proof.json; do
  [ -f "$document" ] || continue
  sum=$(sha256sum <"$document")
  named=no
  for entry in log/entries/*.json; do
    IFS= read -r body <"$entry" || :
    case $body in *"${sum%%  -}"*) named=yes ;; esac
  done
  [ "$named" = yes ] || fail "the log does not name $document"
done

echo "$checked checks by openssl and sha256sum, $signatures signatures, $answers OCSP answers$passkeys"
exit $wrong
