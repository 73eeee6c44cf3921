package store

import (
	"context"
	"database/sql"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

const tracerName = "github.com/lienthong/lienthong/services/store"

// Stmt is a prepared statement with a name. It makes a span of that name when the caller's span is recorded, and
// costs nothing otherwise. Neither the statement's values nor its errors are ever in the span.
type Stmt struct {
	name string
	stmt *sql.Stmt
}

// Prepare prepares a statement for one of a DB's pools. The name is what traces call it, such as
// "population.residence". The statement is closed with the pool.
func Prepare(ctx context.Context, pool *sql.DB, name, query string) (*Stmt, error) {
	stmt, err := pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", name, err)
	}
	return &Stmt{name: name, stmt: stmt}, nil
}

// In returns the statement as part of a transaction, which closes it.
func (s *Stmt) In(ctx context.Context, tx *sql.Tx) *Stmt {
	return &Stmt{name: s.name, stmt: tx.StmtContext(ctx, s.stmt)}
}

// QueryRow asks for at most one row.
func (s *Stmt) QueryRow(ctx context.Context, args ...any) *sql.Row {
	ctx, span := s.start(ctx)
	row := s.stmt.QueryRowContext(ctx, args...)
	end(span, row.Err())
	return row
}

// Find asks for at most one row that an index leads to. It does not begin when ctx is done, but once begun it is
// not interrupted: such a question takes microseconds, and being ready to stop it costs half as much again.
func (s *Stmt) Find(ctx context.Context, args ...any) Row {
	if err := ctx.Err(); err != nil {
		return Row{err: err}
	}
	ctx, span := s.start(context.WithoutCancel(ctx))
	row := s.stmt.QueryRowContext(ctx, args...)
	end(span, row.Err())
	return Row{row: row}
}

// Row is what Find found.
type Row struct {
	row *sql.Row
	err error
}

// Scan copies the row's columns. It fails with sql.ErrNoRows when there is no row.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.row.Scan(dest...)
}

// Query asks for rows. The caller closes them.
func (s *Stmt) Query(ctx context.Context, args ...any) (*sql.Rows, error) {
	ctx, span := s.start(ctx)
	rows, err := s.stmt.QueryContext(ctx, args...)
	end(span, err)
	return rows, err
}

// Exec runs a statement that returns no rows.
func (s *Stmt) Exec(ctx context.Context, args ...any) (sql.Result, error) {
	ctx, span := s.start(ctx)
	result, err := s.stmt.ExecContext(ctx, args...)
	end(span, err)
	return result, err
}

// start begins a span, or returns nil when nobody records.
func (s *Stmt) start(ctx context.Context) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, nil
	}
	return parent.TracerProvider().Tracer(tracerName).Start(ctx, s.name,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.system.name", "sqlite")))
}

func end(span trace.Span, err error) {
	if span == nil {
		return
	}
	if err != nil {
		span.SetStatus(codes.Error, "statement failed")
	}
	span.End()
}
