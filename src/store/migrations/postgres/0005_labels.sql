-- Short words of the client's own, to find calls by: an object of texts.
ALTER TABLE call_logs ADD COLUMN labels jsonb NOT NULL DEFAULT '{}';

CREATE INDEX call_logs_labels ON call_logs USING gin (labels jsonb_path_ops) WHERE labels <> '{}';
