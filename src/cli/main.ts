#!/usr/bin/env node
/** The command. What puts scenarios to others is loaded by the commands that do so: the catalogue takes its time. */

import { parseCommand } from './args.ts';
import { connectTo } from './connect.ts';
import type { ExitCode } from './fault.ts';
import {
  CONNECT_HELP,
  GENERAL_HELP,
  INSPECT_HELP,
  PROBE_HELP,
  REPLAY_HELP,
  SCENARIOS_HELP,
  SERVE_HELP,
} from './help.ts';
import { inspect } from './inspect.ts';
import { replayFile } from './replay.ts';
import { complain, packageVersion, print, progressOn, run, stopSignal } from './run.ts';
import { serve } from './serve.ts';

async function main(): Promise<0 | ExitCode> {
  const command = parseCommand(process.argv.slice(2));
  switch (command.name) {
    case 'help':
      process.stdout.write(GENERAL_HELP);
      return 0;
    case 'serve-help':
      process.stdout.write(SERVE_HELP);
      return 0;
    case 'connect-help':
      process.stdout.write(CONNECT_HELP);
      return 0;
    case 'inspect-help':
      process.stdout.write(INSPECT_HELP);
      return 0;
    case 'inspect':
      for (const line of inspect(command.settings)) print(line);
      return 0;
    case 'replay-help':
      process.stdout.write(REPLAY_HELP);
      return 0;
    case 'replay':
      for (const line of replayFile(command.settings, process.stdout.isTTY)) print(line);
      return 0;
    case 'scenarios-help':
      process.stdout.write(SCENARIOS_HELP);
      return 0;
    case 'scenarios-list':
      for (const line of (await import('./scenarios.ts')).listScenarios()) print(line);
      return 0;
    case 'scenarios': {
      const { runScenarios } = await import('./scenarios.ts');
      return runScenarios(command.settings, { print, progress: progressOn(process.stderr), stop: stopSignal() });
    }
    case 'probe-help':
      process.stdout.write(PROBE_HELP);
      return 0;
    case 'probe': {
      const { runProbe } = await import('./probe.ts');
      return runProbe(command.settings, { print, progress: progressOn(process.stderr), stop: stopSignal() });
    }
    case 'version':
      print(packageVersion());
      return 0;
    case 'connect':
      return connectTo(command.settings, { input: process.stdin, output: process.stdout, report: process.stderr });
    case 'serve': {
      const stop = stopSignal();
      const running = await serve(command.settings, { write: print, warn: complain });
      await stop;
      await running.close();
      return 0;
    }
  }
}

await run('tls-resume', main);
