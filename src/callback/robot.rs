//! Chat robots: what they are sent, how they sign, and what they mean by their answers.
//!
//! Guarantees: a robot that answers 200 and says in the body that it refused counts as having refused. Deliberately
//! absent: the text, which `summary` writes, and pictures, cards, mentions: a body template of one's own has them.
//!
//! Sources: WeCom "group robot", DingTalk "custom robot", Feishu "custom bot", Slack "incoming webhooks".

use crate::base::fault::Fault;
use crate::callback::client::Answer;
use crate::callback::destination::refused;
use crate::callback::signing::Key;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::Url;

/// A kind of chat robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Robot {
    /// WeCom (Enterprise WeChat).
    Wecom,
    /// Slack.
    Slack,
    /// DingTalk.
    Dingtalk,
    /// Feishu (Lark).
    Feishu,
}

impl Robot {
    /// Reads a robot's name; none: no robot.
    ///
    /// # Errors
    /// There is no such robot.
    pub fn parse(word: &str) -> Result<Option<Self>, Fault> {
        Ok(match word {
            "" => None,
            "wecom" => Some(Robot::Wecom),
            "slack" => Some(Robot::Slack),
            "dingtalk" => Some(Robot::Dingtalk),
            "feishu" => Some(Robot::Feishu),
            other => {
                return Err(refused(
                    &format!("template {other:?}"),
                    "there is no such robot",
                    "Use wecom, slack, dingtalk or feishu, or write a body_template.",
                ));
            }
        })
    }

    /// What it is sent.
    pub fn template(self) -> &'static str {
        match self {
            Robot::Wecom => {
                r#"{"msgtype": "markdown", "markdown": {"content": {{ "**" ~ summary.title ~ "**\n" ~ summary.text }} } }"#
            }
            Robot::Slack => r#"{"text": {{ "*" ~ summary.title ~ "*\n" ~ summary.text }} }"#,
            Robot::Dingtalk => {
                r#"{"msgtype": "markdown", "markdown": {"title": {{ summary.title }}, "text": {{ "**" ~ summary.title ~ "**\n\n" ~ summary.text|replace("\n", "\n\n") }} } }"#
            }
            Robot::Feishu => {
                r#"{"msg_type": "text", "content": {"text": {{ summary.title ~ "\n" ~ summary.text }} } }"#
            }
        }
    }

    /// Signs with the robot's secret, where it has a way to: DingTalk in the address, Feishu in the body.
    pub fn sign(self, key: &Key, now_ms: i64, url: &mut Url, body: &mut Vec<u8>) {
        match self {
            Robot::Dingtalk => {
                let timestamp = now_ms.to_string();
                let sign = key.hmac_sha256(format!("{timestamp}\n{}", key.expose()).as_bytes());
                url.query_pairs_mut()
                    .append_pair("timestamp", &timestamp)
                    .append_pair("sign", &STANDARD.encode(sign));
            }
            Robot::Feishu => {
                let timestamp = now_ms.div_euclid(1_000).to_string();
                let whole = Key::new(&format!("{timestamp}\n{}", key.expose()));
                let sign = STANDARD.encode(whole.hmac_sha256(b""));
                if let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) {
                    fields.insert("timestamp".to_owned(), timestamp.into());
                    fields.insert("sign".to_owned(), sign.into());
                    *body = Value::Object(fields).to_string().into_bytes();
                }
            }
            Robot::Wecom | Robot::Slack => {}
        }
    }

    /// The answer with what its body says of it.
    pub fn judged(self, mut answer: Answer) -> Answer {
        let key = match self {
            Robot::Wecom | Robot::Dingtalk => "errcode",
            Robot::Feishu => "code",
            Robot::Slack => return answer,
        };
        let said: Option<Value> = answer.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        let code = said.as_ref().and_then(|said| said[key].as_i64()).unwrap_or(0);
        if answer.status == Some(200) && code != 0 {
            let text = said.map(|said| said.to_string()).unwrap_or_default();
            answer.error = Some(format!("it answered {text}"));
            // Too many at once: all of them wait, none is refused for good.
            const TOO_MANY: [i64; 4] = [45_009, 130_101, 660_026, 9_499];
            answer.status = Some(if TOO_MANY.contains(&code) { 429 } else { 422 });
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::Robot;
    use crate::callback::body_template::BodyTemplate;
    use crate::callback::client::Answer;
    use crate::callback::signing::Key;
    use url::Url;

    #[test]
    fn every_robot_gets_json_it_understands() {
        for robot in [Robot::Wecom, Robot::Slack, Robot::Dingtalk, Robot::Feishu] {
            assert!(
                BodyTemplate::new(robot.template()).expect("valid").is_json(),
                "{robot:?}"
            );
        }
    }

    #[test]
    fn a_yes_that_says_no_is_a_no() {
        let answer = |body: &str| Answer {
            status: Some(200),
            error: None,
            body: Some(body.to_owned()),
            retry_after_s: None,
            took_ms: 1,
        };
        let status = |robot: Robot, body: &str| robot.judged(answer(body)).status;
        assert_eq!(status(Robot::Wecom, r#"{"errcode":0,"errmsg":"ok"}"#), Some(200));
        assert_eq!(
            status(Robot::Wecom, r#"{"errcode":93000,"errmsg":"invalid webhook"}"#),
            Some(422)
        );
        assert_eq!(status(Robot::Wecom, r#"{"errcode":45009}"#), Some(429));
        assert_eq!(
            status(Robot::Feishu, r#"{"code":19021,"msg":"sign match fail"}"#),
            Some(422)
        );
        assert_eq!(status(Robot::Slack, "ok"), Some(200));
    }

    #[test]
    fn robots_that_sign_do() {
        // printf 'T\nsecret' | openssl dgst -sha256 -hmac secret -binary | base64, with T = 1700000000000
        let key = Key::new("secret");
        let mut url = Url::parse("https://oapi.dingtalk.com/robot/send?access_token=x").expect("a URL");
        let mut body = b"{\"msg_type\":\"text\"}".to_vec();
        Robot::Dingtalk.sign(&key, 1_700_000_000_000, &mut url, &mut body);
        assert_eq!(body, b"{\"msg_type\":\"text\"}");
        let sign = url
            .query_pairs()
            .find(|(name, _)| name == "sign")
            .expect("signed")
            .1
            .into_owned();
        assert_eq!(sign, "OuzzJR5+xZ4/EYwqtNt6sMYZQMTa/HEGvc9miJe7XzY=");
        // printf '' | openssl dgst -sha256 -hmac $'1700000000\nsecret' -binary | base64
        Robot::Feishu.sign(&key, 1_700_000_000_000, &mut url, &mut body);
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(
            (&body["timestamp"], &body["sign"]),
            (
                &"1700000000".into(),
                &"fiWS2+gh28DOydAv7hzONH/mDn9+b1Y4Y5ivXWXy8vA=".into()
            )
        );
    }
}
