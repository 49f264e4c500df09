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

  it('have the names of RFC 9846 §6, general_error among them', () => {
    const names: Partial<Record<AlertName, number>> = { general_error: 117, no_application_protocol: 120 };
    for (const [name, number] of Object.entries(names)) expect(alertName(number)).to.equal(name);
    const numbers = [0, 10, 20, 22, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 70, 71, 80, 86, 90, 109, 110, 112, 113];
    for (const number of [...numbers, 115, 116, 117, 120]) expect(alertName(number), `${number}`).to.be.a('string');
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
