import type { Device } from '../device.ts'
import type { Body } from '../kernel.ts'

export const ownKernels = (_device: Device): Readonly<Record<string, Body>> => ({})
