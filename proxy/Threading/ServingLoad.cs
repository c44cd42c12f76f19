using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.Threading;

/// <summary>
/// How long the threads that serve clients wait for a processor, as Linux counts it. Where nothing counts it, or nobody serves on threads
/// of its own, they count as never waiting. Thread-safe.
/// </summary>
internal class ServingLoad : IDisposable
{
    private const string OfThisThread = "/proc/thread-self/schedstat";

    private readonly Lock _gate = new();
    private ImmutableList<SafeFileHandle> _threads = []; // written under _gate
    private bool _isDisposed;                            // guarded by _gate

    /// <summary>Threads that serve clients.</summary>
    public virtual int Threads => _threads.Count;

    /// <summary>Time that all of them together have waited for a processor so far, though there was something to do.</summary>
    public virtual TimeSpan Waited
    {
        get
        {
            TimeSpan all = TimeSpan.Zero;
            foreach (SafeFileHandle thread in _threads)
            {
                all += WaitedBy(thread);
            }

            return all;
        }
    }

    /// <summary>The current thread serves clients from now on.</summary>
    public void AddCurrentThread()
    {
        SafeFileHandle thread;
        try
        {
            thread = File.OpenHandle(OfThisThread);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return; // not Linux, or a kernel that does not count it
        }

        lock (_gate)
        {
            if (!_isDisposed)
            {
                _threads = _threads.Add(thread);
                return;
            }
        }

        thread.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _threads.ForEach(static thread => thread.Dispose());
            _threads = [];
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Its schedstat: nanoseconds with a processor, nanoseconds of waiting for one, and how often.</summary>
    private static TimeSpan WaitedBy(SafeFileHandle thread)
    {
        Span<byte> text = stackalloc byte[96];
        try
        {
            return Encoding.ASCII.GetString(text[..RandomAccess.Read(thread, text, 0)]).Split(' ') is [_, string waited, ..]
                && long.TryParse(waited, NumberStyles.None, CultureInfo.InvariantCulture, out long nanoseconds)
                ? TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick) : TimeSpan.Zero;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return TimeSpan.Zero; // it has ended
        }
    }
}
