using System.Text;
using Breakwater.Proxy.Guessing;

namespace Breakwater.Proxy.Tests.Guessing;

/// <summary>Which language a file is of, and what it tells beside the names: where modules are, and how compiled ones are called.</summary>
public sealed class ModuleNeedsTests
{
    [Theory]
    [InlineData("/usr/lib/python3.11/a.py", null, ModuleLanguage.Python)]
    [InlineData("/usr/bin/tool", "/usr/bin/python3", ModuleLanguage.Python)]
    [InlineData("/usr/bin/tool", "python3.11", ModuleLanguage.Python)]
    [InlineData("/usr/share/perl/a.pm", null, ModuleLanguage.Perl)]
    [InlineData("/usr/bin/tool", "/usr/bin/perl", ModuleLanguage.Perl)]
    [InlineData("/usr/bin/tool", "/bin/sh", null)]
    [InlineData("/usr/bin/tool", null, null)]
    [InlineData("/usr/share/a.pyc", null, null)]
    public void Read_AFile_IsOfALanguageByItsNameOrInterpreter(string path, string? interpreter, object? language)
    {
        ModuleNeeds? needs = ModuleNeeds.Read("import os\nuse strict;\n"u8, path, interpreter);

        Assert.Equal((ModuleLanguage?)language, needs?.Language);
        Assert.Equal(language switch { ModuleLanguage.Python => ["os"], ModuleLanguage.Perl => ["strict"], _ => null }, needs?.Names);
    }

    [Theory]
    [InlineData("/usr/share/perl5/A/B.pm", "/usr/share/perl5")]
    [InlineData("/usr/share/perl5/B.pm", null)]
    public void Read_APackageOfPerl_TellsWhereModulesAre(string path, string? root) =>
        Assert.Equal(root is null ? [] : [root], ModuleNeeds.Read("package A::B;\nuse strict;\n"u8, path, null)!.Roots);

    [Fact]
    public void Read_AModuleThatNamesNone_NeedsNothing()
    {
        Assert.Null(ModuleNeeds.Read("x = 1\n"u8, "/a.py", null));
        Assert.NotNull(ModuleNeeds.Read("package A;\n"u8, "/lib/A.pm", null)); // where modules are is worth knowing
    }

    [Fact]
    public void Read_ASource_IsReadFor256KiB()
    {
        byte[] source = Encoding.ASCII.GetBytes(new string('#', (256 << 10) - 10) + "\nimport os\nimport re\n");

        Assert.Equal(["os"], ModuleNeeds.Read(source, "/a.py", null)!.Names);
    }

    [Theory]
    [InlineData("/usr/bin/python3.11", "/usr", "cpython-311")]
    [InlineData("/os/usr/local/bin/python3.9", "/os/usr/local", "cpython-39")]
    [InlineData("/python3.9", "", "cpython-39")]
    public void OfInterpreter_APython_ReadsItsLibrary(string program, string above, string tag)
    {
        ModuleNeeds needs = ModuleNeeds.OfInterpreter(program)!;

        Assert.Equal($"{above}/lib/{program[(program.LastIndexOf('/') + 1)..]}", needs.Roots[0]);
        Assert.Equal((tag, ModuleLanguage.Python), (needs.Tag, needs.Language));
        Assert.Contains("encodings", needs.Names);
    }

    [Theory]
    [InlineData("/usr/bin/python3")]
    [InlineData("/usr/bin/python3.")]
    [InlineData("/usr/bin/python3.1111")]
    [InlineData("/usr/bin/python3.1d")]
    [InlineData("/usr/bin/perl")]
    [InlineData("python3.11")]
    public void OfInterpreter_AnotherProgram_IsNone(string program) => Assert.Null(ModuleNeeds.OfInterpreter(program));
}
