namespace Breakwater.Proxy.Settings;

/// <summary>
/// Looks at the settings' files and calls back when their content is another. It reads them, as links are swapped around a file that does
/// not change (a ConfigMap of Kubernetes), times of files can be kept, and the kernel's notifications may be used up or not exist (inotify,
/// NFS): the files are small.
/// </summary>
internal sealed class SettingsWatch : IDisposable
{
    /// <summary>How often it looks; docs/operate/settings.md says what follows from it.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Func<IEnumerable<string>> _files;
    private readonly Action _changed;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private Content[] _inForce;     // guarded by _gate
    private Content[] _before;      // guarded by _gate; at the last look

    /// <summary>Watches from now on.</summary>
    /// <param name="files">Gives their paths, at each look anew; a file need not exist.</param>
    /// <param name="changed">Called for a change that has stood still for one interval: a file that is being written is no change
    /// yet.</param>
    /// <param name="time">The clock.</param>
    public SettingsWatch(Func<IEnumerable<string>> files, Action changed, TimeProvider time)
    {
        _files = files;
        _changed = changed;
        _inForce = _before = Read();
        _timer = time.CreateTimer(static state => ((SettingsWatch)state!).Look(), this, Interval, Interval);
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
            Content[] now = Read();
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

    private Content[] Read() => [.. _files().Select(file => new Content(file, Read(file)))];

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

    private static bool IsSame(Content[] some, Content[] others) =>
        some.Length == others.Length && some.Zip(others).All(pair => pair.First.File == pair.Second.File
            && (pair.First.Bytes is { } bytes
            ? pair.Second.Bytes is { } other && bytes.AsSpan().SequenceEqual(other)
            : pair.Second.Bytes is null));

    /// <summary>What a file holds; null: there is no such file.</summary>
    private readonly record struct Content(string File, byte[]? Bytes);
}
