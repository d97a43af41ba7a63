// commander's Command, but a misspelt option is named before a missing one: `--modle x` is told of `--model`, not of what it lacks.
import { Command, type Option } from 'commander'

export class WeftCommand extends Command {
  readonly required: Option[] = []

  override createCommand(name?: string): WeftCommand {
    return new WeftCommand(name)
  }

  /** Checked by `missingOption`, once all that was given has been understood. */
  override requiredOption(flags: string, description = '', parse?: unknown): this {
    const option = this.createOption(flags, `${description} (required)`)
    if (typeof parse === 'function') option.argParser(parse as (value: string) => unknown)
    this.required.push(option)
    return this.addOption(option)
  }

  /** The flags of the first required option that was not given. */
  missingOption(): string | undefined {
    return this.required.find((option) => this.getOptionValue(option.attributeName()) === undefined)?.flags
  }
}
