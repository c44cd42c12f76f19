using System.Text;

namespace Breakwater.TestSupport;

/// <summary>
/// Standard output and standard error of what this test runs in this process, from the making of it on; what other tests write meanwhile
/// goes where it went. Dispose to end it.
/// </summary>
public sealed class CapturedConsole : IDisposable
{
    private static readonly AsyncLocal<CapturedConsole?> s_current = new();
    private static readonly Lazy<bool> s_isInstalled = new(Install);

    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    /// <summary>Captures.</summary>
    public CapturedConsole()
    {
        _ = s_isInstalled.Value;
        s_current.Value = this;
    }

    /// <summary>What was written to standard output so far.</summary>
    public string Output => _output.ToString();

    /// <summary>What was written to standard error so far.</summary>
    public string Error => _error.ToString();

    /// <inheritdoc/>
    public void Dispose() => s_current.Value = null;

    private static bool Install()
    {
        Console.SetOut(new Switch(Console.Out, static captured => captured._output));
        Console.SetError(new Switch(Console.Error, static captured => captured._error));
        return true;
    }

    /// <summary>A writer that each test has as its own. The console lets one thread at a time write.</summary>
    private sealed class Switch(TextWriter others, Func<CapturedConsole, TextWriter> choose) : TextWriter
    {
        public override Encoding Encoding => others.Encoding;

        private TextWriter To => s_current.Value is { } captured ? choose(captured) : others;

        public override void Write(char value) => To.Write(value);

        public override void Write(string? value) => To.Write(value);

        public override void Write(char[] buffer, int index, int count) => To.Write(buffer, index, count);

        public override void Flush() => To.Flush();
    }
}
