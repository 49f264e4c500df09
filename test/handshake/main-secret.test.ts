import { expect } from 'chai';
import {
  earlySecret,
  exporterMasterSecret,
  exportKeyingMaterial,
  handshakeSecret,
  masterSecret,
} from '../../src/crypto/key-schedule.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { MainSecret } from '../../src/handshake/main-secret.ts';
import { EMPTY } from '../../src/wire/bytes.ts';
import { counting } from '../support/counting.ts';
import { Bench } from '../support/mechanisms.ts';
import { toyCrypto } from '../support/servers.ts';

describe('the exporter of TLS 1.3 (RFC 9846 §7.5)', () => {
  const hash = defaultProvider.hashes.sha256;
  const transcriptHash = new Uint8Array(32).fill(4);
  const makeMaster = () => masterSecret(handshakeSecret(earlySecret(hash, undefined), undefined));

  it('makes its secret when first asked, and then has no more use for the Master Secret', () => {
    const master = makeMaster();
    const main = new MainSecret(master, transcriptHash);
    const expected = exportKeyingMaterial(exporterMasterSecret(makeMaster(), transcriptHash), 'a', EMPTY, 40);
    expect(master.bytes).not.to.deep.equal(new Uint8Array(32));
    for (let i = 0; i < 2; i++) {
      expect(main.export('a', EMPTY, 40)).to.deep.equal(expected);
      expect(master.bytes).to.deep.equal(new Uint8Array(32));
    }
    const { bytes } = main.exporter;
    main.wipe();
    expect(bytes).to.deep.equal(new Uint8Array(32));
  });

  it('wiped before it was asked, takes the Master Secret with it', () => {
    const master = makeMaster();
    new MainSecret(master, transcriptHash).wipe();
    expect(master.bytes).to.deep.equal(new Uint8Array(32));
  });

  it('has its secret by the time the first traffic secrets are to be forgotten (§7.2), and exports the same', () => {
    const bench = new Bench();
    try {
      const provider = counting({ ...defaultProvider, groups: toyCrypto.groups });
      const cost = (isUpdated: boolean): number => {
        const link = bench.connect(bench.server('psk-stateful', { crypto: provider }), {});
        if (isUpdated) link.step(link.connection.updateKeys()).run();
        provider.take();
        const exported = link.connection.exportKeyingMaterial(32, 'EXPORTER-test');
        const { compressions } = provider.take();
        expect(exported).to.deep.equal(link.client.exportKeyingMaterial(32, 'EXPORTER-test'));
        return compressions;
      };
      expect(cost(false) - cost(true)).to.equal(4); // keying HMAC with the Master Secret, and one HMAC
    } finally {
      bench.close();
    }
  });
});
