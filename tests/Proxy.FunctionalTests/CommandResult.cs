using System.Diagnostics;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests;

/// <summary>How a command ended, and what it wrote.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error);
