// The tests with the programs of others: `npm run interop`. The programs are processes themselves, so there is one for each core.
const { availableParallelism } = require('node:os');

module.exports = {
  ...require('./.mocharc.cjs'),
  spec: ['dist/test/interop/**/*.test.js'],
  ignore: [],
  jobs: Math.max(2, availableParallelism()),
};
