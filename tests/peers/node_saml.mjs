// @node-saml/node-saml on the responses of tests/benches/saml.rs: `node node_saml.mjs DIRECTORY NAME...`
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.cwd(), 'index.js'));
const { SAML } = require('@node-saml/node-saml');
const [directory, ...names] = process.argv.slice(2);
const read = (name) => readFileSync(path.join(directory, name), 'utf8');

for (const name of names) {
  const saml = new SAML({
    callbackUrl: 'https://sp.example.com/acs',
    issuer: 'https://sp.example.com/metadata',
    audience: 'https://sp.example.com/metadata',
    idpIssuer: 'https://idp.example.com/saml',
    entryPoint: 'https://idp.example.com/sso',
    idpCert: read('idp.pem'),
    decryptionPvk: read('sp-key.pem'),
    wantAuthnResponseSigned: !name.startsWith('entra'),
    wantAssertionsSigned: !name.startsWith('google'),
    validateInResponseTo: 'never',
    acceptedClockSkewMs: 120_000,
  });
  const form = Buffer.from(read(`${name}.xml`)).toString('base64');
  let best = Infinity;
  for (let run = 0; run < 60; run++) {
    const began = process.hrtime.bigint();
    for (let round = 0; round < 5; round++) {
      const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: form });
      if (profile.nameID !== 'ada@corp.example') throw new Error(name);
    }
    best = Math.min(best, Number(process.hrtime.bigint() - began) / 5e3);
  }
  console.log(`${name} ${best.toFixed(1)}`);
}
