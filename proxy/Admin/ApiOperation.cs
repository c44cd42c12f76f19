using System.Reflection;

namespace Breakwater.Proxy.Admin;

/// <summary>One thing that can be asked of the admin API.</summary>
/// <param name="Method">GET, POST or DELETE.</param>
/// <param name="Path">From the root, with the names of its parameters in braces.</param>
/// <param name="Says">What it does, one sentence.</param>
/// <param name="Handler">What answers; its parameters are those of the call.</param>
/// <param name="Answers">Type of the answer; null when it is the handler's own, or no JSON.</param>
/// <param name="IsOpen">May anybody ask?</param>
/// <param name="TakesFile">Is its body a file of any length?</param>
internal sealed record ApiOperation(
    string Method, string Path, string Says, MethodInfo Handler, Type? Answers, bool IsOpen = false, bool TakesFile = false);
