// The kinds of destinations in words.
import type { IconName } from "../../parts/icon.tsx";
import { words } from "../../words.ts";
import type { Kind } from "./shapes.ts";

const t = words({
  http: ["HTTP", "HTTP"],
  amqp: ["AMQP (RabbitMQ)", "AMQP（RabbitMQ）"],
  nats: ["NATS JetStream", "NATS JetStream"],
  mqtt: ["MQTT 5", "MQTT 5"],
  redis: ["Redis stream", "Redis 流"],
  exec: ["Program", "可执行程序"],
  storage: ["Archive in a storage", "归档到存储"],
  mail: ["Mail", "邮件"],
  http_help: ["A POST to an address, or to a chat robot.", "向地址或群机器人发送 POST。"],
  amqp_help: ["A queue or an exchange of a broker, confirmed.", "发送到消息代理的队列或交换机，需确认。"],
  nats_help: ["A subject that a JetStream stream takes.", "由 JetStream 流接收的主题。"],
  mqtt_help: ["A topic. What nobody subscribes to is tried again.", "发布到主题；无人订阅时会重试。"],
  redis_help: ["One entry an event.", "每个事件一条记录。"],
  exec_help: ["A program of hooks_dir gets the event on its standard input.", "hooks_dir 中的程序从标准输入读取事件。"],
  storage_help: ["JSON lines, one file a day.", "JSON Lines 格式，每天一个文件。"],
  mail_help: ["A message by SMTP, in words.", "通过 SMTP 发送邮件。"],
});

const ICONS: Record<Kind, IconName> = { http: "globe", amqp: "list", nats: "pulse", mqtt: "pulse", redis: "list", exec: "settings", storage: "storage", mail: "send" };

export const kindName = (kind: Kind): string => t(kind);
export const kindHelp = (kind: Kind): string => t(`${kind}_help`);
export const kindIcon = (kind: Kind): IconName => ICONS[kind];
