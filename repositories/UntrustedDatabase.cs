using System.Buffers.Binary;
using Breakwater.CacheStore.Spooling;
using SQLitePCL;

namespace Breakwater.Repositories;

/// <summary>
/// A SQLite file from the wire, opened so that its content can do no harm: inflated within limits into an unlinked temporary file,
/// immutable and read-only, in defensive mode, without views, triggers, virtual tables or trusted schema, with a bound on the work of all
/// statements together. One thread at a time; dispose to free disk and memory.
/// </summary>
/// <remarks>
/// A file rather than memory: a big catalog then costs page cache, not heap. Uses SQLite by the handles below Microsoft.Data.Sqlite,
/// whose result codes are values; its exceptions would have to be caught at every row.
/// </remarks>
public sealed class UntrustedDatabase : IDisposable
{
    private const int ProgressInterval = 4096;
    private static readonly byte[] PlainMagic = "SQLite format 3\0"u8.ToArray();

    private readonly sqlite3 _database;
    private readonly OverflowBudget _openBytes; // from which its length is taken
    private readonly Dictionary<string, sqlite3_stmt> _statements = [];
    private long _work;
    private long _charged;

    static UntrustedDatabase() => Batteries_V2.Init();

    private UntrustedDatabase(sqlite3 database, long lengthBytes, OverflowBudget openBytes)
    {
        _database = database;
        _openBytes = openBytes;
        _charged = lengthBytes;
        LengthBytes = lengthBytes;

        // A row costs some 30 steps of the virtual machine and 60 bytes or more of the file: this allows about twenty walks.
        _work = (100_000_000 + (lengthBytes * 10)) / ProgressInterval;
        raw.sqlite3_progress_handler(database, ProgressInterval, _ => --_work < 0 ? 1 : 0, null);
    }

    /// <summary>Length once inflated.</summary>
    public long LengthBytes { get; }

    /// <summary>Inflates and opens a database.</summary>
    /// <param name="wire">The object as on the wire, zlib, zstd or plain; seekable, at its beginning. Stays the caller's.</param>
    /// <param name="limits">Bounds on its size.</param>
    /// <param name="tables">Tables that it must have, as ordinary tables.</param>
    /// <param name="cancellationToken">Stops the inflating.</param>
    public static async Task<Parsed<UntrustedDatabase>> OpenAsync(
        Stream wire,
        CatalogLimits limits,
        IReadOnlyList<string> tables,
        CancellationToken cancellationToken)
    {
        if (wire.Length > limits.MaxWireBytes)
        {
            return new Malformed($"it has {wire.Length} bytes; {limits.MaxWireBytes} are the most.");
        }

        string path = Path.Combine(limits.TemporaryDirectory, $"breakwater-{Guid.NewGuid():n}.db");
        var taken = new Taken(limits.OpenBytes);
        bool isOpen = false;
        try
        {
            string? problem = await InflateAsync(wire, path, limits, taken, cancellationToken) ?? CheckLength(path, taken.Bytes);
            Parsed<UntrustedDatabase> opened = problem is null ? Open(path, taken, tables) : new Malformed(problem);
            isOpen = opened.TryGet(out _, out _);
            return opened;
        }
        finally
        {
            File.Delete(path);
            if (!isOpen)
            {
                taken.GiveBack();
            }
        }
    }

    /// <summary>Prepares a statement once and hands it out, ready to bind.</summary>
    public string? Prepare(string sql, out sqlite3_stmt statement)
    {
        if (_statements.TryGetValue(sql, out sqlite3_stmt? known))
        {
            raw.sqlite3_reset(known);
            statement = known;
            return null;
        }

        int code = raw.sqlite3_prepare_v2(_database, sql, out statement);
        if (code != raw.SQLITE_OK)
        {
            return Explain(code);
        }

        _statements[sql] = statement;
        return null;
    }

    /// <summary>Steps to the next row: null and false at the end, a problem when the file is damaged.</summary>
    public string? Step(sqlite3_stmt statement, out bool hasRow)
    {
        int code = raw.sqlite3_step(statement);
        hasRow = code == raw.SQLITE_ROW;
        if (hasRow)
        {
            return null;
        }

        raw.sqlite3_reset(statement);
        return code == raw.SQLITE_DONE ? null : Explain(code);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (sqlite3_stmt statement in _statements.Values)
        {
            raw.sqlite3_finalize(statement);
        }

        _statements.Clear();
        raw.sqlite3_close_v2(_database);
        _openBytes.GiveBack(Interlocked.Exchange(ref _charged, 0));
    }

    /// <summary>Inflates into a file. Null: it is there, and all its bytes are taken.</summary>
    private static async Task<string?> InflateAsync(Stream wire, string path, CatalogLimits limits, Taken taken,
        CancellationToken cancellationToken)
    {
        long maxBytes = Math.Min(limits.MaxInflatedBytes, Math.Max(CatalogLimits.FreeInflatedBytes, wire.Length * limits.MaxInflation));
        byte[] head = new byte[PlainMagic.Length];
        int headLength = await wire.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        wire.Position = 0;
        bool isPlain = headLength == head.Length && head.AsSpan().SequenceEqual(PlainMagic);

        await using Stream? inflated = isPlain ? null : WireContent.Open(wire);
        Stream source = inflated ?? wire;
        await using FileStream file = CreatePrivate(path);
        byte[] buffer = new byte[128 * 1024];
        while (true)
        {
            int read;
            try
            {
                read = await source.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception exception) when (WireContent.IsDamage(exception))
            {
                return $"it is neither a zlib or zstd stream nor a SQLite file ({exception.Message}).";
            }

            if (read == 0)
            {
                return null;
            }

            if (taken.Bytes + read > maxBytes)
            {
                return $"it inflates to more than {maxBytes} bytes.";
            }

            if (!taken.TryTake(read))
            {
                return "the catalogs that are open at this time have used up the room for inflated ones.";
            }

            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }

    /// <summary>A file that is shorter than its header says was cut: SQLite would notice only where the missing pages are needed.</summary>
    private static string? CheckLength(string path, long length)
    {
        Span<byte> header = stackalloc byte[100];
        using FileStream file = File.OpenRead(path);
        if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
        {
            return "it is too short for a SQLite file.";
        }

        int pageSize = BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
        long pages = BinaryPrimitives.ReadUInt32BigEndian(header[28..]);
        return length < (pageSize == 1 ? 65536 : pageSize) * pages ? "it is shorter than its header says." : null;
    }

    private static FileStream CreatePrivate(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    private static Parsed<UntrustedDatabase> Open(string path, Taken taken, IReadOnlyList<string> tables)
    {
        string uri = "file:" + Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal) + "?immutable=1";
        int code = raw.sqlite3_open_v2(
            uri,
            out sqlite3 handle,
            raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_URI | raw.SQLITE_OPEN_NOMUTEX | raw.SQLITE_OPEN_PRIVATECACHE,
            null);
        if (code != raw.SQLITE_OK)
        {
            handle.Dispose();
            return new Malformed($"SQLite cannot open it (code {code}).");
        }

        var database = new UntrustedDatabase(handle, taken.Bytes, taken.Budget);
        string? problem = database.Harden() ?? database.CheckTables(tables);
        if (problem is null)
        {
            return database;
        }

        database._charged = 0; // the caller gives it back
        database.Dispose();
        return new Malformed(problem);
    }

    private string? Harden()
    {
        raw.sqlite3_db_config(_database, raw.SQLITE_DBCONFIG_DEFENSIVE, 1, out _);
        raw.sqlite3_db_config(_database, raw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, out _);
        raw.sqlite3_db_config(_database, raw.SQLITE_DBCONFIG_ENABLE_VIEW, 0, out _);
        raw.sqlite3_db_config(_database, raw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, out _);
        raw.sqlite3_limit(_database, raw.SQLITE_LIMIT_LENGTH, 1 << 20);
        raw.sqlite3_limit(_database, raw.SQLITE_LIMIT_SQL_LENGTH, 64 * 1024);
        raw.sqlite3_limit(_database, raw.SQLITE_LIMIT_ATTACHED, 0);
        foreach (string pragma
            in (string[])["PRAGMA cell_size_check=ON", "PRAGMA mmap_size=0", "PRAGMA cache_size=-2048", "PRAGMA query_only=ON"])
        {
            int code = raw.sqlite3_exec(_database, pragma);
            if (code != raw.SQLITE_OK)
            {
                return Explain(code);
            }
        }

        return null;
    }

    /// <summary>Ordinary tables have a root page; views and virtual tables, which could compute without end, have none.</summary>
    private string? CheckTables(IReadOnlyList<string> tables)
    {
        string? problem =
            Prepare("SELECT count(*) FROM sqlite_master WHERE type='table' AND rootpage>0 AND name=?1", out sqlite3_stmt statement);
        if (problem is not null)
        {
            return problem;
        }

        foreach (string table in tables)
        {
            raw.sqlite3_bind_text(statement, 1, table);
            problem = Step(statement, out bool hasRow);
            bool isTable = hasRow && raw.sqlite3_column_int64(statement, 0) == 1;
            raw.sqlite3_reset(statement);
            if (problem is not null || !isTable)
            {
                return problem ?? $"it has no ordinary table '{table}'.";
            }
        }

        return null;
    }

    private string Explain(int code) => code == raw.SQLITE_INTERRUPT
        ? "reading it costs more work than a file of its size may cost."
        : $"SQLite: {raw.sqlite3_errmsg(_database).utf8_to_string()} (code {code}).";

    /// <summary>Bytes taken while a file is inflated.</summary>
    private sealed class Taken(OverflowBudget budget)
    {
        public OverflowBudget Budget => budget;

        public long Bytes { get; private set; }

        public bool TryTake(int bytes)
        {
            bool isTaken = budget.TryTake(bytes);
            Bytes += isTaken ? bytes : 0;
            return isTaken;
        }

        public void GiveBack() => budget.GiveBack(Bytes);
    }
}
