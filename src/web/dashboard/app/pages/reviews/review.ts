// A review as the REST API tells it.
export interface Review {
  id: string;
  created_at: string;
  status: string;
  media: string;
  object: string;
  /// Of its media; empty: that has left the library.
  title: string;
  task: string | null;
  job: string | null;
  activity: string | null;
  workflow: string | null;
  instructions: string;
  due_at: string | null;
  on_timeout: string;
  auditor: string | null;
  reason: string;
  comment: string;
  user_data: string | null;
  ended_at: string | null;
}
