using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Breakwater.Peers.Measuring;

namespace Breakwater.Peers.Proxies;

/// <summary>
/// A caching proxy under test: started in a directory of its own, on a loopback port, in front of one emulated Stratum 1.
/// </summary>
internal abstract class Peer : IDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(30);

    private static readonly ConcurrentDictionary<Peer, Process> s_running = new();

    private Process? _process;

    static Peer() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        // Interrupted: nothing that was started here may go on running.
        foreach (Peer peer in s_running.Keys)
        {
            peer.Tree.End();
        }
    };

    protected Peer(string name, bool isForward)
    {
        (Name, IsForward) = (name, isForward);
        Directory = System.IO.Directory.CreateTempSubdirectory($"race-{name}-").FullName;
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "cache"));
        Port = FreePort();
    }

    /// <summary>As the reports call it.</summary>
    public string Name { get; }

    /// <summary>Takes absolute-form requests, as CernVM-FS sends them to a proxy; else a reverse proxy for one server.</summary>
    public bool IsForward { get; }

    /// <summary>Everything it writes.</summary>
    public string Directory { get; }

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>The same as an end point.</summary>
    public IPEndPoint EndPoint => new(IPAddress.Loopback, Port);

    /// <summary>The emulated Stratum 1 behind it.</summary>
    public int UpstreamPort { get; private set; }

    /// <summary>All of its processes.</summary>
    public ProcessTree Tree => new(_process?.Id ?? throw new InvalidOperationException($"{Name} is not running"));

    /// <summary>Its version, as it says itself.</summary>
    public abstract string Version();

    /// <summary>Starts it and waits until its port is open.</summary>
    /// <returns>How long that took.</returns>
    /// <exception cref="IOException">It did not open its port within 30 s; the message ends with what it said.</exception>
    public TimeSpan Start(int upstreamPort)
    {
        UpstreamPort = upstreamPort;
        Prepare();
        var watch = Stopwatch.StartNew();
        s_running[this] = _process = Process.Start(Command())!;
        string log = Path.Combine(Directory, "output.log");
        _ = CopyAsync(_process.StandardOutput, log);
        _ = CopyAsync(_process.StandardError, log + ".err");
        while (!IsOpen())
        {
            if (_process.HasExited || watch.Elapsed > s_startLimit)
            {
                Kill();
                throw new IOException($"{Name} did not open port {Port} within {s_startLimit.TotalSeconds} s. It said: {Said(log)}");
            }

            Thread.Sleep(2);
        }

        return watch.Elapsed;
    }

    /// <summary>Ends all of its processes with SIGKILL; what it has written stays.</summary>
    public void Kill()
    {
        if (_process is null)
        {
            return;
        }

        Tree.End();
        s_running.TryRemove(this, out _);
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Asks it to end (SIGTERM), and ends it as <see cref="Kill"/> does when it has not done so in time.</summary>
    public void Stop(TimeSpan limit)
    {
        Tree.Signal(ProcessTree.SigTerm);
        _process!.WaitForExit(limit);
        Kill();
    }

    /// <summary>Ends it and removes all that it has written.</summary>
    public void Dispose()
    {
        Kill();
        try
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
        catch (IOException)
        {
            // A helper process of the peer may still have been writing; its directory is a temporary one.
        }
    }

    /// <summary>Writes its configuration and whatever it needs before its start.</summary>
    protected abstract void Prepare();

    /// <summary>How it is started: in the foreground.</summary>
    protected abstract ProcessStartInfo Command();

    /// <summary>A command line with its output taken.</summary>
    protected static ProcessStartInfo Run(string file, params string[] arguments) => new(file, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    /// <summary>Runs a command to its end and returns what it wrote.</summary>
    protected static string Output(string file, params string[] arguments)
    {
        using Process process = Process.Start(Run(file, arguments))!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output + error.Result;
    }

    /// <summary>Writes a file into the peer's directory and returns its path.</summary>
    protected string Write(string name, string text)
    {
        string path = Path.Combine(Directory, name);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Lets the peer's own user write here, as it drops root's rights.</summary>
    protected void OpenDirectory()
    {
        foreach (string directory
            in System.IO.Directory.EnumerateDirectories(Directory, "*", SearchOption.AllDirectories).Append(Directory))
        {
            File.SetUnixFileMode(directory, (UnixFileMode)0b111_111_111);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private bool IsOpen()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(EndPoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task CopyAsync(StreamReader from, string to)
    {
        await using var file = new StreamWriter(to, append: true);
        while (await from.ReadLineAsync() is { } line)
        {
            await file.WriteLineAsync(line);
        }
    }

    private static string Said(string log) => string.Join(" | ", new[] { log, log + ".err" }
        .Where(File.Exists)
        .SelectMany(f => File.ReadLines(f).TakeLast(5)));
}
