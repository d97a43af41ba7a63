export { createNativeBackend, type InstructionSet, type NativeBackend, type NativeBackendOptions, type NativeBuffer } from './create-native-backend.ts'
export type { BufferStatistics } from './addon.ts'
