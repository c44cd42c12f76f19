using SQLitePCL;

namespace Breakwater.Repositories.Writing;

/// <summary>
/// A new SQLite file as the readers of CernVM-FS want it: UTF-8, pages of 4096 bytes, rollback journal. It has no journal while it is
/// written:
/// who is killed here begins a new file. One thread at a time; <see cref="Complete"/>, then dispose.
/// </summary>
internal sealed class DatabaseWriter : IDisposable
{
    private readonly sqlite3 _database;
    private readonly List<sqlite3_stmt> _statements = [];

    static DatabaseWriter() => Batteries_V2.Init();

    /// <summary>Makes the file.</summary>
    /// <param name="file">A path where nothing is.</param>
    /// <param name="schema">Statements that make the tables.</param>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public DatabaseWriter(string file, params IReadOnlyList<string> schema)
    {
        int code = raw.sqlite3_open_v2(
            file,
            out _database,
            raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE | raw.SQLITE_OPEN_NOMUTEX | raw.SQLITE_OPEN_PRIVATECACHE,
            null);
        try
        {
            Check(code);
            string[] settings =
            [
                "PRAGMA page_size=4096", "PRAGMA encoding='UTF-8'", "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF",
                "PRAGMA locking_mode=EXCLUSIVE", "PRAGMA cache_size=-65536", "BEGIN",
            ];
            foreach (string sql in settings.Concat(schema))
            {
                Check(raw.sqlite3_exec(_database, sql));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Prepares a statement that lives as long as this.</summary>
    public sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_database, sql, out sqlite3_stmt statement));
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Binds text given as bytes, which need not be UTF-8.</summary>
    public void BindText(sqlite3_stmt statement, int index, ReadOnlySpan<byte> text) =>
        Check(text.IsEmpty ? raw.sqlite3_bind_text(statement, index, "") : raw.sqlite3_bind_text(statement, index, text));

    /// <summary>Binds text.</summary>
    public void BindText(sqlite3_stmt statement, int index, string text) => Check(raw.sqlite3_bind_text(statement, index, text));

    /// <summary>Binds a number.</summary>
    public void Bind(sqlite3_stmt statement, int index, long number) => Check(raw.sqlite3_bind_int64(statement, index, number));

    /// <summary>Binds bytes; empty ones are NULL, as the format has it.</summary>
    public void BindBlob(sqlite3_stmt statement, int index, ReadOnlySpan<byte> bytes) =>
        Check(bytes.IsEmpty ? raw.sqlite3_bind_null(statement, index) : raw.sqlite3_bind_blob(statement, index, bytes));

    /// <summary>Runs a statement that gives no rows, and makes it ready for the next.</summary>
    public void Run(sqlite3_stmt statement)
    {
        int code = raw.sqlite3_step(statement);
        raw.sqlite3_reset(statement);
        Check(code);
    }

    /// <summary>Prepares, binds texts and runs, once.</summary>
    public void Insert(string sql, params IReadOnlyList<string?> texts)
    {
        sqlite3_stmt statement = Prepare(sql);
        for (int i = 0; i < texts.Count; i++)
        {
            Check(texts[i] is { } text ? raw.sqlite3_bind_text(statement, i + 1, text) : raw.sqlite3_bind_null(statement, i + 1));
        }

        Run(statement);
    }

    /// <summary>All is in the file, as far as the operating system is concerned.</summary>
    public void Complete() => Check(raw.sqlite3_exec(_database, "COMMIT"));

    /// <inheritdoc/>
    public void Dispose()
    {
        _statements.ForEach(statement => raw.sqlite3_finalize(statement));
        _statements.Clear();
        raw.sqlite3_close_v2(_database);
    }

    private void Check(int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_DONE or raw.SQLITE_ROW))
        {
            throw new IOException($"SQLite: {raw.sqlite3_errmsg(_database).utf8_to_string()} (code {code}).");
        }
    }
}
