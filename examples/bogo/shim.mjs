#!/usr/bin/env node
// What BoringSSL's runner starts. The shim itself is TypeScript, which `npm run build` compiles.
import { main } from '../../dist/examples/bogo/main.js';

process.exitCode = await main(process.argv.slice(2));
