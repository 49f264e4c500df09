// The tests with the programs of others: `npm run interop`.
module.exports = { ...require('./.mocharc.cjs'), spec: ['dist/test/interop/**/*.test.js'], ignore: [] };
