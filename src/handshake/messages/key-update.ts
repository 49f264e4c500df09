/** KeyUpdate: RFC 9846 §4.7.3. */

import { type Infer, mapped, struct, uint8 } from '../../wire/codec.ts';
import { DecodeError } from '../../wire/reader.ts';
import { message } from './message.ts';

export const KeyUpdateRequest = { update_not_requested: 0, update_requested: 1 } as const;

export const KeyUpdate = struct({
  requestUpdate: mapped(
    uint8,
    (value) => {
      // §4.7.3: any other value is an illegal_parameter.
      if (value > KeyUpdateRequest.update_requested) throw new DecodeError(`request ${value}`, 'illegal_parameter');
      return value;
    },
    (value) => value,
  ),
});
export type KeyUpdate = Infer<typeof KeyUpdate>;
export const keyUpdate = message('key_update', KeyUpdate);
