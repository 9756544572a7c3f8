export { openSegmentLog, type SegmentLogOptions } from './lib/segment-log.ts'
