using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>
/// <c>breakwater serve</c> as a process, for what only a process can show: signals, exit codes, its limits, its descriptors, a socket
/// handed over.
/// </summary>
internal sealed partial class ServeProcess : IAsyncDisposable
{
    /// <summary>The collection of the tests that load a process with all that this machine has: one after the other.</summary>
    public const string OneAtATime = "processes under load";

    private const string Ready = "Breakwater is listening on ";
    private readonly Process _process;
    private readonly List<string> _said = []; // guarded by itself
    private readonly TaskCompletionSource<IPEndPoint> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServeProcess(ProcessStartInfo start) => _process = new Process { StartInfo = start, EnableRaisingEvents = true };

    public IPEndPoint EndPoint { get; private set; } = null!;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Starts it and waits until it listens.</summary>
    /// <param name="storePath">Its store.</param>
    /// <param name="stratum1s">Its upstreams, in this order.</param>
    /// <param name="listener">A listening socket to hand over as a service manager does; null: it listens itself.</param>
    /// <param name="settings">Further settings.</param>
    public static Task<ServeProcess> StartAsync(
        string storePath, IReadOnlyList<ScriptedUpstream> stratum1s, Socket? listener = null,
        params IReadOnlyList<(string Name, string Value)> settings) =>
        StartLimitedAsync(null, storePath, stratum1s, listener, settings);

    /// <summary>As the other, with so many open files allowed.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; what it said is in the message.</exception>
    public static Task<ServeProcess> StartLimitedAsync(
        int? openFiles, string storePath, IReadOnlyList<ScriptedUpstream> stratum1s, Socket? listener,
        IReadOnlyList<(string Name, string Value)> settings) =>
        StartAsync(openFiles, storePath, stratum1s, listener is null ? [] : [listener], [],
        [("Proxy:Listen:0", listener?.LocalEndPoint?.ToString() ?? "127.0.0.1:0"), .. settings]);

    /// <summary>As the others, with several sockets handed over, which the settings name.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; what it said is in the message.</exception>
    public static Task<ServeProcess> StartWithAsync(
        IReadOnlyList<Socket> listeners, string storePath, IReadOnlyList<ScriptedUpstream> stratum1s, IReadOnlyList<string> arguments,
        IReadOnlyList<(string Name, string Value)> settings) =>
        StartAsync(null, storePath, stratum1s, listeners, arguments, settings);

    private static async Task<ServeProcess> StartAsync(
        int? openFiles,
        string storePath,
        IReadOnlyList<ScriptedUpstream> stratum1s,
        IReadOnlyList<Socket> listeners,
        IReadOnlyList<string> arguments,
        IReadOnlyList<(string Name, string Value)> settings)
    {
        ProcessStartInfo own = ProxyProcess.OwnExecutable();
        ProcessStartInfo start = new("/bin/bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        string limit = openFiles is null ? "" : string.Create(CultureInfo.InvariantCulture, $"ulimit -n {openFiles}; ");
        string handOver =
            string.Concat(
            listeners.Select((listener, i) =>
            string.Create(CultureInfo.InvariantCulture, $"exec {3 + i}<&{listener.SafeHandle.DangerousGetHandle()}; ")));
        start.ArgumentList.Add(limit + (listeners.Count == 0
            ? "exec env --default-signal=INT,QUIT \"$@\""
            : string.Create(CultureInfo.InvariantCulture,
            $"{handOver}export LISTEN_PID=${{LISTEN_PID:-$$}} LISTEN_FDS={listeners.Count}; exec env --default-signal=INT,QUIT \"$@\"")));
        foreach (string argument in (string[])["breakwater", own.FileName, .. own.ArgumentList, "serve", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in ((string, string)[])[
            ("Admin:Listen", "127.0.0.1:0"), ("Store:Path", storePath), ("Repositories:*.example.org:Cluster", "test"),
            ("ReverseProxy:Clusters:stratum1:HealthCheck:Active:Enabled", "false"),
                ("ReverseProxy:Clusters:egi:HealthCheck:Active:Enabled", "false"),
            ("ReverseProxy:Clusters:osg:HealthCheck:Active:Enabled", "false"), ("Logging:LogLevel:Default", "Critical"),
            ("Proxy:FirstByteTimeout", "00:00:30"), // its Stratum 1s are in this process, which other tests keep busy
            .. stratum1s.Select((s, i) => ($"ReverseProxy:Clusters:test:Destinations:s{i + 1}:Address", s.Address)), .. settings])
        {
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        ServeProcess serve = new(start);
        try
        {
            await serve.StartAsync(listeners);
            return serve;
        }
        catch
        {
            await serve.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has it printed or logged a line with that in it?</summary>
    public bool HasSaid(string text)
    {
        lock (_said)
        {
            return _said.Exists(line => line.Contains(text, StringComparison.Ordinal));
        }
    }

    /// <summary>SIGTERM; gives the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        Assert.Equal(0, Kill(Id, 15));
        return await ExitCodeAsync();
    }

    /// <summary>Waits for its end.</summary>
    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().InTimeAsync();
        return _process.ExitCode;
    }

    /// <summary>What its descriptors are, such as <c>socket:[123]</c> or a path.</summary>
    public IReadOnlyList<string> Descriptors()
    {
        List<string> found = [];
        foreach (string link in Directory.GetFileSystemEntries($"/proc/{Id}/fd"))
        {
            try
            {
                found.Add(new FileInfo(link).LinkTarget ?? "");
            }
            catch (IOException)
            {
                // Closed meanwhile.
            }
        }

        return found;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.Kill();
            await _process.WaitForExitAsync().InTimeAsync();
        }
        catch (InvalidOperationException)
        {
            // Never started, or gone already.
        }

        _process.Dispose();
    }

    private async Task StartAsync(IReadOnlyList<Socket> listeners)
    {
        void Take(string? line)
        {
            if (line is null)
            {
                return;
            }

            lock (_said)
            {
                _said.Add(line);
            }

            if (line.StartsWith(Ready, StringComparison.Ordinal))
            {
                // A socket that was handed over has its address already.
                _ready.TrySetResult((listeners.Count > 0 ? listeners[0].LocalEndPoint as IPEndPoint : null)
                    ?? IPEndPoint.Parse(new Uri(line[Ready.Length..].Trim()).Authority));
            }
        }

        _process.OutputDataReceived += (_, e) => Take(e.Data);
        _process.ErrorDataReceived += (_, e) => Take(e.Data);
        _process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException("It ended."));
        foreach (Socket listener in listeners)
        {
            Assert.Equal(0, ChangeDescriptor((int)listener.SafeHandle.DangerousGetHandle(), 2, 0)); // F_SETFD: inherited
        }

        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        try
        {
            EndPoint = await _ready.Task.InTimeAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException)
        {
            if (e is InvalidOperationException)
            {
                await _process.WaitForExitAsync().InTimeAsync(); // and the rest of what it says
            }

            lock (_said)
            {
                throw new InvalidOperationException("The proxy did not start: " + string.Join(Environment.NewLine, _said), e);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int ChangeDescriptor(int descriptor, int command, int value);
}
