// weft model info|logits|generate|chat
import type { Command } from 'commander'
import { collect, integer, real, tokenIds } from '../option-values.ts'
import { runs } from '../session.ts'

const load = () => import('../runs/model.ts')

/** What opens a model, for every command that takes one. */
export const withModelOptions = (command: Command): Command =>
  command
    .requiredOption('--model <path>', 'folder with config.json and *.safetensors; or an adapter, whose base is then opened')
    .option('--tokenizer <file>', 'default: the one beside the weights')
    .option('--chat-template <file>', 'a Jinja chat template; default: the one beside the weights')
    .option('--adapter <path>', 'a LoRA adapter in PEFT\'s files; may repeat', collect)
    .option('--backend <name>', 'native, tfjs-wasm, tfjs-cpu or reference; default: the first that works')

const withSamplingOptions = (command: Command, temperature: number): Command =>
  command
    .option('--max-new-tokens <n>', 'at most so many', integer(1), 200)
    .option('--temperature <x>', '0 takes the likeliest token', real(0), temperature)
    .option('--top-k <n>', 'draw from the n likeliest tokens', integer(1))
    .option('--top-p <x>', 'draw from the likeliest tokens that together have this probability', real(0, 1))
    .option('--min-p <x>', 'draw from tokens with at least this share of the likeliest one\'s probability', real(0, 1))
    .option('--repetition-penalty <x>', 'above 1 makes repeats rarer', real(0))
    .option('--seed <n>', 'the same seed gives the same text', integer(), 0)
    .option('--stop <text>', 'end before this text; may repeat', collect)

export const addModelCommands = (program: Command): void => {
  const group = program.command('model').description('look into a model, generate text with it, talk to it')

  group
    .command('info')
    .description('configuration, parameters and files of a model')
    .requiredOption('--model <path>', 'folder with config.json and *.safetensors')
    .addHelpText('after', '\nExample:\n  weft model info --model model/ --json')
    .action(runs(async () => (await load()).info))

  withModelOptions(group.command('logits'))
    .description('what the model says of the next token')
    .option('--ids <list>', 'token ids with commas between them', tokenIds)
    .option('--prompt <text>', 'instead of ids')
    .option('--top <n>', 'how many tokens to show (people only)', integer(1), 10)
    .addHelpText('after', '\nExample:\n  weft model logits --model model/ --ids 1,2,3 --json')
    .action(runs(async () => (await load()).logits))

  withSamplingOptions(withModelOptions(group.command('generate')), 0.8)
    .description('go on with a text; prints the continuation alone')
    .option('--prompt <text>', 'default: standard input')
    .option('--chat', 'the prompt is a message: render it by the chat template and print the answer')
    .addHelpText('after', '\nExamples:\n  weft model generate --model model/ --prompt "Once" --max-new-tokens 40 --temperature 0\n  weft model generate --model model/ --json < prompt.txt')
    .action(runs(async () => (await load()).generate))

  withSamplingOptions(withModelOptions(group.command('chat')), 0.7)
    .description('talk to a model; without a terminal each line of standard input is a message')
    .option('--system <text>', 'a system message before the first turn')
    .addHelpText('after', '\nExample:\n  weft model chat --model assistant/')
    .action(runs(async () => (await import('../runs/chat.ts')).chat))
}
