// A template as the REST API shows it.
import type { Table } from "../../flow/toml.ts";

export interface Template {
  id: string;
  created_at: string | null;
  modified_at: string | null;
  name: string;
  type: string;
  description: string;
  origin: "system" | "custom";
  default: boolean;
  parameters: Table;
}

export interface WholeTemplate extends Template {
  used_by: string[];
  note: string | null;
}

/// Types of templates in the order of menus.
export const TEMPLATE_TYPES = ["transcode", "snapshot", "cover", "dynamic_image", "qc", "analysis", "review", "hook", "moderation", "recognition", "content_analysis", "copy", "image_watermark", "text_watermark", "subtitle"];

/// The definition as it is written: what is sent to make it.
export const definitionOf = (template: Pick<Template, "name" | "type" | "description" | "parameters">): Table => ({
  name: template.name, type: template.type, ...(template.description ? { description: template.description } : {}), ...template.parameters,
});
