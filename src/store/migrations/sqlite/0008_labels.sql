-- Short words of the client's own, to find calls by: a JSON object of texts.
ALTER TABLE call_logs ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
