// Reads requests with their policies as JSON lines from stdin and writes one decision for each line.
// The argument is the folder in which npm installed the simulator.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const load = createRequire(`${process.argv[2]}/package.json`)
const { runSimulation } = load('@cloud-copilot/iam-simulate')

for await (const line of createInterface({ input: process.stdin })) {
  const { overallResult, errors, result } = await runSimulation(JSON.parse(line), {})
  const answer = { decision: overallResult, errors, ignoredKeys: result?.ignoredContextKeys }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
