export { type BlobRef, findBlobRefs, isBlobRef } from './blob-ref.ts'
export { type Block, BlockMap, type BlockSource } from './block-map.ts'
export { compareBytes, concatBytes, equalBytes } from './bytes.ts'
export { type CarLimits, DEFAULT_CAR_LIMITS } from './car-limits.ts'
export {
  Cid,
  type CidCodec,
  cidFromBytes,
  cidFromDigest,
  cidOfDrisl,
  cidOfRaw,
  DRISL_CODEC,
  isCid,
  isCidText,
  parseCid,
  RAW_CODEC,
  tryParseCid,
} from './cid.ts'
export { DataError, type DataErrorCode } from './data-error.ts'
export { decode, decodeFirst } from './decode.ts'
export { encode } from './encode.ts'
export { fromJson, type JsonValue, parse, stringify, toJson } from './json.ts'
export { JsonWriter } from './json-writer.ts'
export { compareKeys } from './key-order.ts'
export { DEFAULT_LIMITS, type Limits, RECORD_LIMITS } from './limits.ts'
export { readCar } from './read-car.ts'
export { streamCar } from './stream-car.ts'
export { type DataMap, isDataMap, type Value } from './value.ts'
export { carEntry, carHeader, writeCar } from './write-car.ts'
