using System.CommandLine;

namespace Breakwater.Proxy.Commands.Lab;

/// <summary><c>breakwater lab</c>: a lab of diskless machines from one directory.</summary>
internal static class LabCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create() => new("lab", "A lab of diskless machines that boot what one directory holds") { LabUpCommand.Create() };
}
