import { expect } from 'chai';
import { Alert, alertName, TlsAlert } from '../../src/wire/alert.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import { AlertDescription, AlertLevel, type AlertName } from '../../src/wire/registry.ts';

describe('alerts', () => {
  it('have a name for each number, and a number for each name', () => {
    const names = Object.keys(AlertDescription) as AlertName[];
    for (const name of names) {
      expect(alertName(AlertDescription[name])).to.equal(name);
      expect(new TlsAlert(name, 'why').description).to.equal(AlertDescription[name]);
    }
    expect(new Set(Object.values(AlertDescription)).size).to.equal(names.length);
    expect(alertName(200)).to.equal(undefined);
  });

  it('are errors that say what, why, and by whom', () => {
    const local = new TlsAlert('bad_record_mac', 'a record does not open');
    expect(local).to.be.instanceOf(Error);
    expect(local).to.include({
      name: 'TlsAlert',
      message: 'bad_record_mac: a record does not open',
      alert: 'bad_record_mac',
      origin: 'local',
      code: 'TLS_ALERT_BAD_RECORD_MAC',
      description: 20,
    });
    expect(new TlsAlert('unknown_ca', 'why', 'remote').origin).to.equal('remote');
  });

  it('are two bytes', () => {
    const alert = { level: AlertLevel.fatal, description: AlertDescription.handshake_failure };
    expect([...encode(Alert, alert)]).to.deep.equal([2, 40]);
    expect(decode(Alert, Uint8Array.of(2, 40))).to.deep.equal(alert);
  });
});
