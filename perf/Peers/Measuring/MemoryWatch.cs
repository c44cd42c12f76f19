namespace Breakwater.Peers.Measuring;

/// <summary>Follows the memory of a peer while something runs; keeps the peaks.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;

    /// <summary>Looks four times a second.</summary>
    public MemoryWatch(ProcessTree tree)
    {
        _thread = new Thread(() =>
        {
            do
            {
                Memory now = tree.Memory();
                PeakResidentBytes = Math.Max(PeakResidentBytes, now.ResidentBytes);
                PeakAnonymousBytes = Math.Max(PeakAnonymousBytes, now.AnonymousBytes);
            }
            while (!_stop.Token.WaitHandle.WaitOne(250));
        })
        { IsBackground = true, Name = "memory" };
        _thread.Start();
    }

    /// <summary>Most resident memory seen.</summary>
    public long PeakResidentBytes { get; private set; }

    /// <summary>Most anonymous memory seen.</summary>
    public long PeakAnonymousBytes { get; private set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
    }
}
