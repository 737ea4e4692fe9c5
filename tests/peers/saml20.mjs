// @boxyhq/saml20, the verifier inside of @boxyhq/saml-jackson, on the responses of tests/benches/saml.rs:
// `node saml20.mjs DIRECTORY NAME...`
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.cwd(), 'index.js'));
const { default: saml } = require('@boxyhq/saml20');
const [directory, ...names] = process.argv.slice(2);
const read = (name) => readFileSync(path.join(directory, name), 'utf8');

for (const name of names) {
  const options = {
    publicKey: read('idp.pem').replace(/-----[A-Z ]+-----|\s/g, ''),
    privateKey: read('sp-key.pem'),
    audience: 'https://sp.example.com/metadata',
    inResponseTo: '_request',
  };
  const xml = read(`${name}.xml`);
  let best = Infinity;
  for (let run = 0; run < 60; run++) {
    const began = process.hrtime.bigint();
    for (let round = 0; round < 5; round++) await saml.validate(xml, options);
    best = Math.min(best, Number(process.hrtime.bigint() - began) / 5e3);
  }
  console.log(`${name} ${best.toFixed(1)}`);
}
