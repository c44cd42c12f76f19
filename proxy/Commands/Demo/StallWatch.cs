using System.Diagnostics;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// The clients' patience, for all connections of a storm at once: a request that gets less than 1,024 B/s, averaged over 5 s, is cut
/// (libcurl's low-speed rule, <c>CVMFS_TIMEOUT=5</c>; no byte for 5 s falls under it as well, and so does a connect). One timer for
/// all costs less than one for every request.
/// </summary>
internal sealed class StallWatch : IAsyncDisposable
{
    /// <summary>Ticks that the average runs over.</summary>
    public const int WindowTicks = 20;

    private const int BytesPerWindow = 5 * 1024;
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_patience = s_tick * WindowTicks;

    private readonly List<VmConnection> _connections = []; // guarded by itself
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;

    /// <summary>Starts to watch.</summary>
    public StallWatch() => _watching = WatchAsync();

    /// <summary>Watches a connection from now on; to be called before its first request.</summary>
    public void Add(VmConnection connection)
    {
        lock (_connections)
        {
            _connections.Add(connection);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        using PeriodicTimer timer = new(s_tick);
        try
        {
            for (int tick = 0; await timer.WaitForNextTickAsync(_stop.Token); tick++)
            {
                lock (_connections)
                {
                    foreach (VmConnection connection in _connections)
                    {
                        Check(connection, tick % WindowTicks);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private static void Check(VmConnection connection, int slot)
    {
        // The slot holds what had been received a window ago. Only a request that is older than the window is judged by it.
        long received = connection.Received;
        long before = connection.Window[slot];
        connection.Window[slot] = received;
        long startedAt = connection.StartedAt;
        if (startedAt != 0 && received - before < BytesPerWindow && Stopwatch.GetElapsedTime(startedAt) >= s_patience)
        {
            connection.Cut();
        }
    }
}
