const { availableParallelism } = require('node:os');

module.exports = {
  spec: ['dist/test/**/*.test.js'],
  ignore: ['dist/test/interop/**'], // with the programs of others, which takes its time: see .mocharc.interop.cjs
  require: ['./dist/test/support/late-handshakes.js', './dist/test/support/quick-chai.js'],
  'node-option': ['enable-source-maps', 'disable-warning=TLS_RESUME_NO_ID_CONTEXT'],
  reporter: 'dot',
  timeout: 60000, // of the clock, which runs on where the machine has other work
  exit: false,
  // A process more than there are cores: some tests wait for processes and sockets.
  parallel: true,
  jobs: availableParallelism() + 1,
};
