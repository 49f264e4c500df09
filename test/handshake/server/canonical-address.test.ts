import { expect } from 'chai';
import { canonicalAddress } from '../../../src/handshake/server/canonical-address.ts';

describe('canonicalAddress', () => {
  const same: string[][] = [
    ['127.0.0.1', '::ffff:127.0.0.1', '::FFFF:7f00:1', '0:0:0:0:0:ffff:127.0.0.1', '[::ffff:7F00:0001]'],
    ['192.0.2.255', '::ffff:192.0.2.255', '::ffff:c000:2ff'],
    ['::1', '0:0:0:0:0:0:0:1', '0000::0001', '[::1]', '::0.0.0.1'],
    ['::', '0::', '0:0:0:0:0:0:0:0', '0:0:0:0:0:0:0.0.0.0'],
    ['2001:db8::a', '2001:DB8::A', '2001:0db8:0:0:0:0:0:000a', '2001:db8:0:0::a', '2001:db8::0.0.0.10'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:0.7.0.8'],
    ['1::8', '1:0:0:0:0:0:0:8'],
    ['fe80::1%eth0', 'FE80:0::1%eth0'],
    ['0.0.0.1', '::ffff:0:1', '0:0:0:0:0:ffff:0:1'],
  ];
  for (const [one = '', ...others] of same) {
    it(`takes ${one} and ${others.join(', ')} for one`, () => {
      for (const other of others) expect(canonicalAddress(other), other).to.equal(canonicalAddress(one));
    });
  }

  it('keeps apart what is not the same', () => {
    const all = [...same.map(([one = '']) => one), 'fe80::1', 'fe80::1%eth1', 'fe80::1%ETH0', '::fffe:127.0.0.1'];
    all.push('1::ffff:127.0.0.1', '2001:db8::a:0', '::2', '::127.0.0.1', '64:ff9b::127.0.0.1');
    expect(new Set(all.map(canonicalAddress)).size).to.equal(all.length);
  });

  it('returns what is no address as it is', () => {
    for (const text of [
      '',
      '/run/Web.sock',
      'Localhost',
      'abc',
      ':',
      ':::',
      '1:2:3',
      '1::2::3',
      '12345::',
      '::g',
      '::1.2.3.256',
      '1:2:3:4:5:6:7::8:9',
      'a:b:c:d:e:f:0:1:2',
    ])
      expect(canonicalAddress(text), text).to.equal(text);
  });
});
