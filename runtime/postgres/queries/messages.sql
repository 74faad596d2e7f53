-- name: ThreadExists :one
SELECT EXISTS (SELECT FROM thread WHERE instance_id = @instance_id AND id = @id);

-- name: GetAttachment :one
SELECT a.kind, a.name, a.mime_type, a.size, a.url, a.state, a.error, a.message_id, m.thread_id, t.source, c.content
  FROM attachment a
  JOIN message m ON m.instance_id = @instance_id AND m.id = a.message_id
  JOIN thread t ON t.instance_id = @instance_id AND t.id = m.thread_id
  LEFT JOIN attachment_content c ON c.instance_id = @instance_id AND c.attachment_id = a.id AND a.state = 'stored'
 WHERE a.instance_id = @instance_id AND a.id = @id;

-- name: AddFetch :execrows
INSERT INTO action (instance_id, id, kind, thread_id, message_id, lane, payload)
VALUES (@instance_id, @id, 'fetch_media', @thread_id, @message_id, @lane, @payload)
ON CONFLICT (instance_id, (payload ->> 'attachment_id')) WHERE kind = 'fetch_media' AND status IN ('pending', 'processing', 'awaiting') DO NOTHING;
