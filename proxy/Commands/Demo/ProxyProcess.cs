using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// The proxy as a child process: this very executable with the command <c>serve</c>, configured by environment variables alone.
/// </summary>
internal sealed class ProxyProcess : IAsyncDisposable
{
    private const string Ready = "Breakwater is listening on ";
    private const int ErrorLinesKept = 40;
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(30);
    private static readonly string[] s_sections = [.. BreakwaterSettings.Sections, "Cluster"];

    private readonly Process _process;
    private readonly Queue<string> _lastLines = []; // guarded by itself
    private readonly TaskCompletionSource<IPEndPoint> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ProxyProcess(Process process) => _process = process;

    /// <summary>Where the proxy listens.</summary>
    public IPEndPoint EndPoint { get; private set; } = null!;

    /// <summary>The process's number.</summary>
    public int Id => _process.Id;

    /// <summary>Has the process ended?</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The last lines that it wrote, for error messages.</summary>
    public string LastLines
    {
        get
        {
            lock (_lastLines)
            {
                return string.Join(Environment.NewLine, _lastLines);
            }
        }
    }

    /// <summary>Starts the proxy and waits until it says that it listens.</summary>
    /// <param name="settings">Settings by their environment variable, e.g. <c>Store__Path</c>.</param>
    /// <param name="cancellationToken">Kills it again.</param>
    /// <exception cref="DemoFailedException">It ended, or was not ready in 30 s.</exception>
    public static async Task<ProxyProcess> StartAsync(IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = OwnExecutable();
        start.ArgumentList.Add("serve");

        // The shipped settings once more, instead of those in /etc of a machine where the package is installed.
        start.ArgumentList.Add(SettingsFile.Option.Name);
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "appsettings.json"));
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;

        // The caller's own settings (an appliance may run on this machine) must not reach the proxy of the demo.
        foreach (string name in start.Environment.Keys.Where(IsSetting).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in settings)
        {
            start.Environment[name] = value;
        }

        ProxyProcess proxy = new(new Process { StartInfo = start, EnableRaisingEvents = true });
        try
        {
            await proxy.StartAsync(cancellationToken);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    /// <summary>SIGKILL, as a power cut: nothing is flushed, nobody is told.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        catch (InvalidOperationException)
        {
            // Never started, or gone already.
        }

        _process.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        _process.OutputDataReceived += (_, e) => Take(e.Data, isOutput: true);
        _process.ErrorDataReceived += (_, e) => Take(e.Data, isOutput: false);
        _process.Exited += (_, _) => _ready.TrySetException(new DemoFailedException("it ended"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        string reason;
        Exception inner;
        try
        {
            EndPoint = await _ready.Task.WaitAsync(s_startTimeout, cancellationToken);
            return;
        }
        catch (DemoFailedException e)
        {
            await _process.WaitForExitAsync(cancellationToken); // Until its last lines are read.
            (reason, inner) = ($"it ended with exit code {_process.ExitCode}", e);
        }
        catch (TimeoutException e)
        {
            (reason, inner) = ($"it did not say that it listens within {s_startTimeout.TotalSeconds:0} s", e);
        }

        string said = LastLines;
        throw new DemoFailedException(
            $"The proxy (breakwater serve) did not start: {reason}. "
            + (said.Length == 0 ? "It wrote nothing." : $"It wrote:{Environment.NewLine}{said}"), inner);
    }

    private void Take(string? line, bool isOutput)
    {
        if (line is null)
        {
            return;
        }

        if (isOutput && line.StartsWith(Ready, StringComparison.Ordinal)
            && Uri.TryCreate(line[Ready.Length..].Trim(), UriKind.Absolute, out Uri? address)
            && IPEndPoint.TryParse(address.Authority, out IPEndPoint? endPoint))
        {
            _ready.TrySetResult(endPoint);
        }

        lock (_lastLines)
        {
            _lastLines.Enqueue(line);
            if (_lastLines.Count > ErrorLinesKept)
            {
                _lastLines.Dequeue();
            }
        }
    }

    private static bool IsSetting(string name) =>
        s_sections.Any(section => name.StartsWith(section + "__", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// This executable: as an apphost, or as an assembly run by <c>dotnet</c> (also when another host, such as a test's, has loaded it).
    /// </summary>
    internal static ProcessStartInfo OwnExecutable()
    {
        string self = Environment.ProcessPath ?? "";
        string assembly = typeof(ProxyProcess).Assembly.GetName().Name!;
        if (Path.GetFileNameWithoutExtension(self).Equals(assembly, StringComparison.OrdinalIgnoreCase))
        {
            return new ProcessStartInfo(self);
        }

        string muxer = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        string dotnet = Path.GetFileName(self) == muxer
            ? self
            : Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", muxer));
        ProcessStartInfo start = new(dotnet);
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        return start;
    }
}
