using System.Buffers;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Observability.AccessLogs;

/// <summary>
/// Lines on their way to a file or pipe, written by a thread of its own: a disk that is slow, or a pipe that nobody reads, keeps nobody
/// else. What comes while <see cref="MaxBytes"/> or more wait is lost, and counted. One producer at a time.
/// </summary>
internal sealed class LogBacklog : IDisposable
{
    /// <summary>Lines that may wait: half a minute of 4,000 requests a second.</summary>
    public const int MaxBytes = 16 << 20;

    /// <summary>Buffers that one burst made long are let go.</summary>
    private const int KeptBytes = 1 << 20;

    /// <summary>So long a stop waits for a slow disk to take the last lines.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(5);

    private readonly Func<ReadOnlyMemory<byte>, bool> _write;
    private readonly Action<long> _lose;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly Thread _thread;
    private ArrayBufferWriter<byte> _filling = new();   // guarded by _gate
    private ArrayBufferWriter<byte> _spare = new();     // the thread's, but for the exchange
    private long _lines;                                // guarded by _gate: in _filling
    private bool _isOver;                               // guarded by _gate

    /// <summary>Starts the thread.</summary>
    /// <param name="write">Writes whole lines; false: they are lost.</param>
    /// <param name="lose">Counts lines that are lost; thread-safe.</param>
    public LogBacklog(Func<ReadOnlyMemory<byte>, bool> write, Action<long> lose)
    {
        _lose = lose;
        _write = write;
        _thread = new Thread(Run) { IsBackground = true, Name = "access log" };
        _thread.Start();
    }

    /// <summary>Appends lines; they are lost when too many wait.</summary>
    /// <param name="records">A line each.</param>
    /// <param name="append">Writes them; called at once, or not.</param>
    public void Append(ReadOnlySpan<RequestRecord> records, Action<IBufferWriter<byte>, ReadOnlySpan<RequestRecord>> append)
    {
        lock (_gate)
        {
            if (_isOver || _filling.WrittenCount >= MaxBytes)
            {
                _lose(records.Length);
                return;
            }

            append(_filling, records);
            _lines += records.Length;
        }

        _news.Release();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
        }

        _news.Release();
        _thread.Join(s_farewell);
    }

    private void Run()
    {
        while (true)
        {
            _news.Wait();
            ArrayBufferWriter<byte> full;
            long lines;
            lock (_gate)
            {
                if (_isOver && _filling.WrittenCount == 0)
                {
                    return;
                }

                (full, lines) = (_filling, _lines);
                (_filling, _lines) = (_spare, 0);
            }

            if (full.WrittenCount > 0 && !_write(full.WrittenMemory))
            {
                _lose(lines);
            }

            full.ResetWrittenCount();
            _spare = full.Capacity > KeptBytes ? new ArrayBufferWriter<byte>() : full;
        }
    }
}
