// What the daemon tells of deliveries.
import type { Delivery } from "../tasks/shapes.ts";

export type { Delivery };

export interface Try {
  number: number;
  at: string;
  took_ms: number;
  status: number | null;
  error: string | null;
  answer: string | null;
}

export interface DeliveryDetail extends Delivery {
  history: Try[];
}

/// The names of events that there are.
export const EVENT_TYPES = [
  "WorkflowTaskStart", "WorkflowTaskProgress", "WorkflowTaskComplete", "VideoAnalysisComplete", "MediaConvertOutputComplete",
  "MediaConvertOutputGroupComplete", "MediaConvertComplete", "SnapshotComplete", "DynamicImageComplete", "QcComplete", "HookComplete", "CopyComplete",
  "CreateAuditComplete", "AIMediaAuditComplete", "AIProduceComplete", "MediaAiAnalysisComplete", "FileUploadComplete", "UploadByURLComplete",
  "ImageUploadComplete", "AttachedMediaUploadComplete", "RegisterStreamComplete", "StreamUploadComplete", "UploadStreamByURLComplete",
  "RegisterMediaComplete", "DeleteMediaComplete", "MediaBaseChangeComplete", "AlertRaised", "AlertCleared", "TranscodeComplete", "TranscodeParentComplete",
] as const;

export const eventChoices = () => EVENT_TYPES.map((type) => ({ value: type, text: type }));
