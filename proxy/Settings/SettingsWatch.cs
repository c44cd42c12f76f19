namespace Breakwater.Proxy.Settings;

/// <summary>
/// Looks at the settings' files and calls back when their content is another. It reads them, as links are swapped around a file that does
/// not change (a ConfigMap of Kubernetes), times of files can be kept, and the kernel's notifications may be used up or not exist (inotify,
/// NFS): the files are small.
/// </summary>
internal sealed class SettingsWatch : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<string> _files;
    private readonly Action _changed;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private byte[]?[] _inForce;     // guarded by _gate; null: no such file
    private byte[]?[] _before;      // guarded by _gate; at the last look

    /// <summary>Watches from now on.</summary>
    /// <param name="files">Their paths; a file need not exist.</param>
    /// <param name="changed">Called for a change that has stood still for one interval: a file that is being written is no change
    /// yet.</param>
    /// <param name="time">The clock.</param>
    public SettingsWatch(IReadOnlyList<string> files, Action changed, TimeProvider time)
    {
        _files = files;
        _changed = changed;
        _inForce = _before = Read();
        _timer = time.CreateTimer(static state => ((SettingsWatch)state!).Look(), this, s_interval, s_interval);
    }

    /// <summary>Looks now. A look while another one is under way is left out.</summary>
    public void Look()
    {
        if (!_gate.TryEnter())
        {
            return;
        }

        try
        {
            byte[]?[] now = Read();
            bool stands = IsSame(now, _before);
            _before = now;
            if (stands && !IsSame(now, _inForce))
            {
                _inForce = now;
                _changed();
            }
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private byte[]?[] Read() => [.. _files.Select(Read)];

    private static byte[]? Read(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllBytes(file) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsSame(byte[]?[] some, byte[]?[] others) =>
        some.Zip(others)
        .All(pair => pair.First is null ? pair.Second is null : pair.Second is not null && pair.First.AsSpan().SequenceEqual(pair.Second));
}
