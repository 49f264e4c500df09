/**
 * Loaded before all test files: chai asks a Proxy for each word of an assertion whether there is such a word. The compiler has asked
 * already, and a fuzz test makes a million of them.
 */

import { config } from 'chai';

config.useProxy = false;
