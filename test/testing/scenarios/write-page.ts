/** `npm run scenarios:page`: makes docs/scenarios.md anew. */

import { writeFileSync } from 'node:fs';
import { pageOf } from './page.ts';

writeFileSync(new URL('../../../../docs/scenarios.md', import.meta.url), pageOf());
